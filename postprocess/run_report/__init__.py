"""The parts of a run's report, which `pictures.py` puts together; nothing to run here."""
