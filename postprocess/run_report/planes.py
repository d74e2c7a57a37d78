"""Planes and polylines from thalweg's VTK files, as arrays.

    from run_report.planes import read_lines, read_plane
    plane = read_plane(Path("results/run/surface.vti"))
    plane.arrays["loss"][row, column]
"""

from dataclasses import dataclass

import numpy as np

try:
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonCore import vtkObject
    from vtkmodules.vtkIOXML import vtkXMLImageDataReader, vtkXMLPolyDataReader
except ImportError:
    vtk_to_numpy = vtkXMLImageDataReader = vtkXMLPolyDataReader = None


class NoPicture(Exception):
    """Why a picture is left out: the message is the sentence a user reads."""


@dataclass
class Plane:
    """Values on a grid: coordinates, arrays with rows along y, and texts kept with them."""

    x: np.ndarray
    y: np.ndarray
    arrays: dict
    fields: object

    def text(self, key, default):
        """A text or number kept in the file's field data."""
        array = self.fields.GetAbstractArray(key)
        return array.GetValue(0) if array is not None and array.GetNumberOfValues() else default


def read_vtk(path, reader):
    """A VTK XML file as VTK's own object."""
    if vtk_to_numpy is None:
        raise NoPicture(f"{path.name} needs VTK's Python module (Debian: python3-vtk9) to be drawn")
    vtkObject.GlobalWarningDisplayOff()  # its pages about a broken file become our one sentence
    reader = reader()
    reader.SetFileName(str(path))
    reader.Update()
    data = reader.GetOutput()
    if reader.GetErrorCode() or not data.GetNumberOfPoints():
        raise NoPicture(f"{path.name} cannot be read")
    return data


def arrays_of(data):
    """Point arrays by name."""
    points = data.GetPointData()
    return {
        points.GetArrayName(i): vtk_to_numpy(points.GetArray(i))
        for i in range(points.GetNumberOfArrays())
    }


def read_plane(path):
    """A plane with its arrays."""
    data = read_vtk(path, vtkXMLImageDataReader)
    columns, rows, layers = data.GetDimensions()
    if layers != 1 or min(columns, rows) < 2:
        raise NoPicture(f"{path.name} is not a plane; ParaView draws it")
    (x0, y0, _), (dx, dy, _) = data.GetOrigin(), data.GetSpacing()
    arrays = {key: values.reshape(rows, columns) for key, values in arrays_of(data).items()}
    x, y = x0 + dx * np.arange(columns), y0 + dy * np.arange(rows)
    return Plane(x, y, arrays, data.GetFieldData())


def read_volume(path, key):
    """A volume: coordinates along x, y, z, the array `key` as [z, y, x], and a reader of its texts."""
    data = read_vtk(path, vtkXMLImageDataReader)
    nodes, origin, spacing = data.GetDimensions(), data.GetOrigin(), data.GetSpacing()
    grid = [origin[axis] + spacing[axis] * np.arange(nodes[axis]) for axis in range(3)]
    values = arrays_of(data)[key].reshape(nodes[::-1])
    fields = data.GetFieldData()

    def text(name):
        array = fields.GetAbstractArray(name)
        return array.GetValue(0) if array is not None else ""

    return grid, np.where(np.isfinite(values), values, np.nan), text


def read_lines(path):
    """The polylines of a file, each as (points, its arrays)."""
    if not path.is_file():
        return []
    data = read_vtk(path, vtkXMLPolyDataReader)
    points, arrays = vtk_to_numpy(data.GetPoints().GetData()), arrays_of(data)
    lines = []
    for cell in range(data.GetNumberOfCells()):
        numbers = data.GetCell(cell).GetPointIds()  # VTK's own, which the next cell overwrites
        ids = [numbers.GetId(i) for i in range(numbers.GetNumberOfIds())]
        if len(ids) > 1:
            lines.append((points[ids], {key: values[ids] for key, values in arrays.items()}))
    return lines
