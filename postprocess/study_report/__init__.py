"""The parts of a study's report, which `report.py` puts together; nothing to run here."""
