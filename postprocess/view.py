"""ParaView scenes of one run: the loss surface with the paths, the same surface under the heat
equation, a volume of the loss, the decision field.

Type, in the directory of the run:

    paraview --state=view.py                  the scenes, each in a tab; the time slider moves those
                                              of the heat equation and of the decision field
    pvbatch view.py --png [OUTDIR]            surface.png, heat_0000.png, ..., volume.png,
                                              decision.png, without a window,
                                              in OUTDIR, by default paraview/ beside this file
    pvbatch view.py --png [OUTDIR] --movie    also heat.mp4, decision.mp4 (without ffmpeg: frames)

The scenes read what lies beside this file: surface.vti or volume.vti, trajectory.vtp or paths.vtp,
heat.pvd, decision.pvd and decision/data.vtp. What is absent is left out.
"""

import argparse
import itertools
import math
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from paraview import servermanager
from paraview import simple as pv
from vtkmodules.numpy_interface import dataset_adapter
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

RUN = Path(__file__).resolve().parent
RESOLUTION = (1600, 1000)

DECADES = 2.7  # of loss shown below the top: deeper minima become needles that flatten all else
RELIEF = 0.5  # height of the relief, in widths of the plane
BAR_LEFT = 0.87  # of the colour bars, in widths of the view
TEXT_SIDE = ('Ticks right/top, annotations left/bottom',
             'Ticks left/bottom, annotations right/top')  # numbers and names right of a bar
PATHS = ('trajectory.vtp', 'paths.vtp')
SHELLS = ((0.02, 0.5), (0.1, 0.28), (0.25, 0.16), (0.5, 0.08))  # share of volume inside, opacity
CAP = 1e299  # the files hold infinities as 1e300

INK, GREY = (0.1, 0.1, 0.1), (0.3, 0.3, 0.3)
GOLD, SKY = (0.95, 0.75, 0.0), (0.337, 0.706, 0.914)
BLUE, VERMILLION = (0.0, 0.447, 0.698), (0.835, 0.369, 0.0)
# Light, for the valley is dark; from white to vermillion, which the colour-blind tell apart.
LIGHT_TO_WARM = ((1.0, 1.0, 1.0), (1.0, 0.82, 0.45), (0.95, 0.55, 0.1), VERMILLION)
# Paler than the points on it.
SOFT = ((0.369, 0.624, 0.796), (0.769, 0.863, 0.922), (0.969, 0.969, 0.969),
        (0.973, 0.827, 0.749), (0.878, 0.541, 0.388))
OKABE_ITO = (BLUE, VERMILLION, (0.0, 0.62, 0.451), (0.8, 0.475, 0.655), SKY,
             (0.902, 0.624, 0.0), (0.941, 0.894, 0.259), (0.0, 0.0, 0.0))


def fetch(source):
    """The output of `source` as numpy arrays."""
    return dataset_adapter.WrapDataObject(servermanager.Fetch(source))


def read(reader, name):
    """A reader of the file `name` of this run."""
    return reader(registrationName=name, FileName=[str(RUN / name)])


def field_value(data, name, default):
    """Entry of the field data, a number or a text."""
    array = data.VTKObject.GetFieldData().GetAbstractArray(name)
    return array.GetValue(0) if array is not None and array.GetNumberOfValues() else default


def decade_labels(low, high, most=9):
    """Round numbers in [low, high] for a logarithmic scale, as many as possible up to `most`."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    labels = []
    for mantissas in ((1, 2, 5), (1, 3), (1,)):
        labels = [m * 10.0**e for e in range(first, last + 1) for m in mantissas
                  if low * 0.999 <= m * 10.0**e <= high * 1.001]
        if len(labels) <= most:
            break
    if len(labels) < 3:
        return linear_labels(low, high)
    return labels[::math.ceil(len(labels) / most)]


def linear_labels(low, high, most=6):
    """Multiples of 1, 2 or 5 times a power of ten in [low, high], at most `most`."""
    unit = 10.0**math.floor(math.log10((high - low) / most))
    step = next(m * unit for m in (1, 2, 5, 10, 20) if (high - low) / (m * unit) < most)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def finite_heights(image):
    """log10 of the loss at the nodes where it is finite."""
    values, loss = (np.asarray(image.PointData[name]) for name in ('log10_loss', 'loss'))
    return values[np.isfinite(values) & (loss < CAP)]


@dataclass
class Relief:
    """The loss surface as a height field: z = scale * clip(log10 loss, floor, top)."""
    x: np.ndarray
    y: np.ndarray
    log_loss: np.ndarray  # rows along y, clipped
    floor: float
    top: float
    clipped: bool  # loss lies below the floor

    @classmethod
    def of(cls, image):
        """Relief of a fetched image with a point array log10_loss."""
        nodes = image.VTKObject.GetDimensions()
        origin, spacing = image.VTKObject.GetOrigin(), image.VTKObject.GetSpacing()
        x, y = (origin[axis] + spacing[axis] * np.arange(nodes[axis]) for axis in (0, 1))
        values = np.asarray(image.PointData['log10_loss'])
        shown = finite_heights(image)
        top = shown.max()
        # A needle is narrow: where a twentieth of the plane lies lower, the floor goes with it.
        floor = max(shown.min(), min(top - DECADES, np.quantile(shown, 0.05)))
        log_loss = np.where(np.isnan(values), top, np.clip(values, floor, top))
        return cls(x, y, log_loss.reshape(nodes[1], nodes[0]), float(floor),
                   float(max(top, floor + 1e-6)), bool(shown.min() < floor))

    @property
    def width(self):
        """Length of the plane's longer side."""
        return max(np.ptp(self.x), np.ptp(self.y))

    @property
    def scale(self):
        """Height of one decade of loss."""
        return RELIEF * self.width / (self.top - self.floor)

    @property
    def loss_range(self):
        """Loss at the floor and at the top."""
        return 10.0**self.floor, 10.0**self.top

    @property
    def centre(self):
        """Middle of the box around the relief."""
        return np.array([(self.x[0] + self.x[-1]) / 2, (self.y[0] + self.y[-1]) / 2,
                         self.scale * (self.floor + self.top) / 2])

    def formula(self, log_loss):
        """Calculator's text for `log_loss` clipped to the relief; not a number goes to its top."""
        return (f'if({log_loss} < {self.top!r}, '
                f'if({log_loss} > {self.floor!r}, {log_loss}, {self.floor!r}), {self.top!r})')

    def drape(self, line):
        """The pieces of a line (points n x 3, times) over the plane, each laid onto the relief:
        points as close as its nodes, and times."""
        points, time = line
        cell = min(self.x[1] - self.x[0], self.y[1] - self.y[0])
        steps = np.linalg.norm(np.diff(points[:, :2], axis=0), axis=1)
        counts = np.maximum(1, np.ceil(2 * steps / cell)).astype(int)
        at = np.concatenate([k + np.arange(n) / n for k, n in enumerate(counts)] + [[len(counts)]])
        x, y, time = (np.interp(at, np.arange(len(points)), values)
                      for values in (points[:, 0], points[:, 1], time))
        lifted = np.column_stack([x, y, self.height(np.column_stack([x, y]))])
        inside = np.isfinite(lifted[:, 2])
        bounds = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
        return [(lifted[a:b], time[a:b]) for a, b in zip(bounds[::2], bounds[1::2]) if b - a > 1]

    def height(self, points):
        """Bilinear height below `points` (n x 2); -inf beside the plane."""
        column, row = ((points[:, axis] - nodes[0]) / (nodes[1] - nodes[0])
                       for axis, nodes in enumerate((self.x, self.y)))
        columns, rows = len(self.x) - 1, len(self.y) - 1
        inside = (column >= 0) & (column <= columns) & (row >= 0) & (row <= rows)
        i = np.clip(column.astype(int), 0, columns - 1)
        j = np.clip(row.astype(int), 0, rows - 1)
        u, v, z = column - i, row - j, self.log_loss
        low = (1 - u) * z[j, i] + u * z[j, i + 1]
        high = (1 - u) * z[j + 1, i] + u * z[j + 1, i + 1]
        return np.where(inside, self.scale * ((1 - v) * low + v * high), -np.inf)

    def visible(self, points, direction):
        """Which `points` a far camera in `direction` sees past the relief."""
        seen = np.ones(len(points), dtype=bool)
        for distance in np.linspace(0.02, 1.5, 100) * self.width:
            ray = points + [0, 0, 0.01 * self.width] + distance * direction
            seen &= ray[:, 2] >= self.height(ray[:, :2])
        return seen


def towards(azimuth, elevation):
    """Unit vector from the scene to a camera; angles in degrees."""
    a, e = math.radians(azimuth), math.radians(elevation)
    return np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])


def best_direction(relief, pieces):
    """Direction from which the paths are seen longest, face on, and the axes obliquely."""
    steps = np.vstack([np.diff(piece, axis=0) for piece in pieces])
    middles = np.vstack([(piece[1:] + piece[:-1]) / 2 for piece in pieces])
    lengths = np.linalg.norm(steps, axis=1)

    def score(azimuth, elevation):
        direction = towards(azimuth, elevation)
        across = steps - np.outer(steps @ direction, direction)
        drawn = np.linalg.norm(across, axis=1) * relief.visible(middles, direction)
        oblique = abs(math.sin(math.radians(2 * azimuth)))
        return drawn.sum() / lengths.sum() + 0.15 * oblique - 0.004 * abs(elevation - 38)

    angles = itertools.product(range(5, 360, 10), (30, 38, 46, 54, 62))
    return towards(*max(angles, key=lambda pair: score(*pair)))


def clearest_direction(relief, points):
    """Direction from which most of the points and of the relief are seen, the axes obliquely."""
    x, y = np.meshgrid(*(nodes[::max(1, len(nodes) // 20)] for nodes in (relief.x, relief.y)))
    plane = np.column_stack([x.ravel(), y.ravel()])
    ground = np.column_stack([plane, relief.height(plane)])

    def score(azimuth, elevation):
        direction = towards(azimuth, elevation)
        oblique = abs(math.sin(math.radians(2 * azimuth)))
        seen = relief.visible(points, direction).mean() + relief.visible(ground, direction).mean()
        return seen + 0.15 * oblique - 0.004 * abs(elevation - 38)

    angles = itertools.product(range(5, 360, 10), (30, 38, 46, 54, 62))
    return towards(*max(angles, key=lambda pair: score(*pair)))


def new_view(layout_name):
    """An empty white view in a tab of its own."""
    view = pv.CreateView('RenderView')
    view.UseColorPaletteForBackground = 0
    view.Background = [1, 1, 1]
    view.OrientationAxesVisibility = 0
    view.CenterAxesVisibility = 0
    view.ViewSize = RESOLUTION
    pv.AssignViewToLayout(view=view, layout=pv.CreateLayout(layout_name))
    return view


def show(source, view, representation='Surface', colour=INK, **properties):
    """Shows `source` in one colour; no rescaling of colour maps that others use."""
    display = pv.Show(source, view)
    display.SetRepresentationType(representation)
    display.ColorArrayName = [None, '']
    display.AmbientColor = display.DiffuseColor = colour
    for name, value in properties.items():
        setattr(display, name, value)
    return display


def colour_map(array, colours, low, high, logarithmic=False):
    """The colour map of `array`, a preset or equally spaced colours, fixed to [low, high]."""
    lut = pv.GetColorTransferFunction(array)
    lut.AutomaticRescaleRangeMode = 'Never'
    if isinstance(colours, str):
        lut.ApplyPreset(colours, True)
        lut.ColorSpace = 'RGB'  # the preset's own, Diverging, shows a seam on a logarithmic scale
    else:
        places = np.linspace(0, 1, len(colours))
        lut.ColorSpace = 'RGB'
        lut.RGBPoints = [x for at, colour in zip(places, colours) for x in (at, *colour)]
    lut.RescaleTransferFunction(low, high)
    if logarithmic:
        lut.MapControlPointsToLogSpace()
        lut.UseLogScale = 1
    lut.NanColor = (0.75, 0.75, 0.75)
    return lut


def categories(array, names):
    """The colour map of an `array` of small integers, named by `names`."""
    lut = pv.GetColorTransferFunction(array)
    lut.AutomaticRescaleRangeMode = 'Never'
    lut.InterpretValuesAsCategories = 1
    lut.Annotations = [text for i, name in enumerate(names) for text in (str(i), name)]
    lut.IndexedColors = [c for i in range(len(names)) for c in OKABE_ITO[i % len(OKABE_ITO)]]
    return lut


def colour_by(display, array, lut, association='POINTS'):
    """Colours `display` by `array` through `lut`."""
    display.ColorArrayName = [association, array]
    display.LookupTable = lut


def colour_bar(lut, view, title, bottom, length, labels=None):
    """A titled bar at the right edge, from `bottom` up, in fractions of the view's height."""
    bar = pv.GetScalarBar(lut, view)
    bar.Title, bar.ComponentTitle = title, ''
    bar.WindowLocation = 'Any Location'
    bar.Orientation = 'Vertical'
    bar.Position = [BAR_LEFT, bottom]
    bar.ScalarBarLength = length
    bar.ScalarBarThickness = 18
    bar.TitleColor = bar.LabelColor = INK
    bar.TitleFontSize, bar.LabelFontSize = 18, 16
    bar.HorizontalTitle = 1
    bar.TitleJustification = 'Left'
    bar.TextPosition = TEXT_SIDE[lut.InterpretValuesAsCategories]
    if labels is not None:
        bar.UseCustomLabels = 1
        bar.CustomLabels = labels
        bar.AddRangeLabels = 0
        bar.AutomaticLabelFormat = 0
        bar.LabelFormat = '%-g'
    bar.Visibility = 1


def note(view, text, colour, bottom):
    """A line of text above or below the colour bars."""
    pv.Show(pv.Text(registrationName='note', Text=text), view, 'TextSourceRepresentation',
            Color=colour, FontSize=16, WindowLocation='Any Location', Position=[BAR_LEFT, bottom])


def title(source, view):
    """Shows a text source at the top of the view."""
    return pv.Show(source, view, 'TextSourceRepresentation', Color=INK, FontSize=22,
                   WindowLocation='Upper Center')


def axes(view, titles):
    """The axes grid of `view`, with a title per axis, set off from the labels by spaces."""
    grid = view.AxesGrid
    grid.Visibility = 1
    grid.GridColor = (0.75, 0.75, 0.75)
    grid.AxesToLabel = 1 + 2 + 8 + 16  # edges at the sides of the box, not those around its top
    for axis, text in zip('XYZ', titles):
        for name, value in (('Title', f'   {text}   '), ('TitleColor', INK), ('TitleFontSize', 18),
                            ('LabelColor', GREY), ('LabelFontSize', 14)):
            setattr(grid, axis + name, value)
    return grid


def set_labels(grid, axis, values):
    """Puts ticks of an axes grid at `values`."""
    setattr(grid, axis + 'AxisUseCustomLabels', 1)
    setattr(grid, axis + 'AxisLabels', list(values))


def show_surface(view, image, relief):
    """The warped surface in Viridis on log loss, with level lines."""
    height = pv.Calculator(registrationName='shown height', Input=image, ResultArrayName='height',
                           Function=relief.formula('log10_loss'))
    warped = pv.WarpByScalar(registrationName='relief', Input=height, Scalars=['POINTS', 'height'],
                             ScaleFactor=relief.scale)
    outer = pv.ExtractSurface(registrationName='relief surface', Input=warped)
    smooth = pv.GenerateSurfaceNormals(registrationName='loss surface',
                                       Input=outer, FeatureAngle=180)
    low, high = relief.loss_range
    lut = colour_map('loss', 'Viridis (matplotlib)', low, high, logarithmic=True)
    colour_by(show(smooth, view, Specular=0.15, SpecularPower=30), 'loss', lut)
    colour_bar(lut, view, 'loss (clipped)' if relief.clipped else 'loss', 0.12, 0.32,
               decade_labels(low, high))
    levels = np.linspace(relief.floor, relief.top, 22)[1:-1].tolist()
    lines = pv.Contour(registrationName='level lines', Input=smooth, Isosurfaces=levels,
                       ContourBy=['POINTS', 'height'])
    show(lines, view, LineWidth=1.3, Opacity=0.55)


def time_scale(times, pieces):
    """Range of the time colours and whether they are logarithmic.

    Logarithmic where half of the way was made in the first tenth of the time; then from the time
    of the first fiftieth of the way.
    """
    steps = np.concatenate([np.linalg.norm(np.diff(piece, axis=0), axis=1) for piece in pieces])
    ends = np.concatenate([time[1:] for time in times])
    order = np.argsort(ends)
    way = np.cumsum(steps[order]) / steps.sum()
    half, early = (ends[order][np.searchsorted(way, part)] for part in (0.5, 0.02))
    last = ends.max()
    if half < 0.1 * last and early > 0:
        return max(early, 1e-5 * last), last, True
    return min(time[0] for time in times), last, False


def show_path(view, trajectory, relief):
    """The paths as tubes, coloured by time, with their ends; returns their pieces on the plane."""
    paths = [pieces for pieces in map(relief.drape, lines_of(fetch(trajectory))) if pieces]
    if not paths:
        return []
    pieces = [piece for path in paths for piece in path]
    ways = [points for points, _ in pieces]
    low, high, logarithmic = time_scale([time for _, time in pieces], ways)
    lut = colour_map('time', LIGHT_TO_WARM, low, high, logarithmic)
    tube = pv.Tube(registrationName='path', Input=polylines('path on the relief', pieces),
                   Radius=0.006 * relief.width, NumberofSides=16)
    colour_by(show(tube, view), 'time', lut)
    labels = decade_labels(low, high) if logarithmic else linear_labels(low, high)
    colour_bar(lut, view, 'training time', 0.54, 0.32, labels)
    starts, ends = [path[0][0][0] for path in paths], [path[-1][0][-1] for path in paths]
    for name, colour, points, bottom in (('start', BLUE, starts, 0.94),
                                         ('end', VERMILLION, ends, 0.91)):
        show_balls(view, name, colour, np.concatenate(points).tolist(), 0.03 * relief.width)
        note(view, f'{name} of the path', colour, bottom)
    return ways


def show_connection(view, relief):
    """The ways between two runs, the straight one and the curve; returns their pieces."""
    ways = []
    lines = lines_of(fetch(read(pv.XMLPolyDataReader, 'connect.vtp')))
    for line, name, colour, bottom in zip(lines, ('straight line', 'trained curve'), (INK, SKY),
                                          (0.06, 0.03)):
        pieces = relief.drape(line)
        if pieces:
            tube = pv.Tube(registrationName=name, Input=polylines(f'{name} on the relief', pieces),
                           Radius=0.004 * relief.width, NumberofSides=16)
            show(tube, view, colour=colour)
            note(view, name, colour, bottom)
            ways += [points for points, _ in pieces]
    return ways


def lines_of(data):
    """Points (n x 3) and times of each polyline of fetched data."""
    points, time = np.array(data.Points), np.asarray(data.PointData['time'])
    lines = []
    for cell in range(data.VTKObject.GetNumberOfCells()):
        ids = data.VTKObject.GetCell(cell).GetPointIds()
        ids = [ids.GetId(i) for i in range(ids.GetNumberOfIds())]
        lines.append((points[ids], time[ids]))
    return lines


def polylines(name, pieces):
    """A source of polylines, each given as points (n x 3) and times."""
    data, points, cells = vtkPolyData(), vtkPoints(), vtkCellArray()
    points.SetData(numpy_to_vtk(np.concatenate([piece for piece, _ in pieces]), deep=True))
    first = 0
    for piece, _ in pieces:
        cells.InsertNextCell(len(piece))
        for i in range(first, first + len(piece)):
            cells.InsertCellPoint(i)
        first += len(piece)
    time = numpy_to_vtk(np.concatenate([time for _, time in pieces]), deep=True)
    time.SetName('time')
    data.SetPoints(points)
    data.SetLines(cells)
    data.GetPointData().AddArray(time)
    source = pv.TrivialProducer(registrationName=name)
    source.GetClientSideObject().SetOutput(data)
    source.UpdatePipeline()
    return source


def show_balls(view, name, colour, coordinates, diameter):
    """A ball at each point of the flat list `coordinates`."""
    points = pv.PolyPointSource(registrationName=f'{name} points', Points=coordinates)
    show_glyphs(view, name, colour, points, diameter)


def show_glyphs(view, name, colour, points, diameter):
    """A ball at each point of a source."""
    balls = pv.Glyph(registrationName=name, Input=points, GlyphType='Sphere',
                     GlyphMode='All Points', ScaleArray=['POINTS', 'No scale array'],
                     ScaleFactor=diameter)
    balls.GlyphType.ThetaResolution = balls.GlyphType.PhiResolution = 24
    show(balls, view, colour=colour)


def surface_scene():
    """Loss surface and training path; None without a surface or any finite loss on it."""
    if not (RUN / 'surface.vti').exists():
        return None
    image = read(pv.XMLImageDataReader, 'surface.vti')
    data = fetch(image)
    if min(data.VTKObject.GetDimensions()[:2]) < 2 or not finite_heights(data).size:
        return None
    view = new_view('loss surface')
    relief = Relief.of(data)
    show_surface(view, image, relief)
    ways = []
    for name in PATHS:
        if (RUN / name).exists():
            ways += show_path(view, read(pv.XMLPolyDataReader, name), relief)
    if (RUN / 'connect.vtp').exists():
        ways += show_connection(view, relief)
    loss = field_value(data, 'trained_loss', field_value(data, 'centre_loss', math.nan))
    title(pv.Text(registrationName='title', Text='Loss on a plane through the trained point '
                  f'(loss {loss:.3g} there)'), view)
    relief_axes(view, data, relief)
    aim(view, relief, best_direction(relief, ways) if ways else towards(235, 38))
    return view


def relief_axes(view, image, relief):
    """Axes of a relief in the plane's units and in decades, named by the fetched `image`."""
    zero = field_value(image, 'log10_zero', 0.0)
    height = 'log10 loss' if zero == 0 else f'log10(loss + {-zero:.3g})'
    grid = axes(view, (field_value(image, 'axis_x', 'alpha'), field_value(image, 'axis_y', 'beta'),
                       height))
    grid.DataScale = [1, 1, relief.scale]
    for axis, nodes in (('X', relief.x), ('Y', relief.y)):
        set_labels(grid, axis, linear_labels(nodes[0], nodes[-1]))
    set_labels(grid, 'Z', linear_labels(relief.floor, relief.top))


def heat_scene():
    """The plane under the heat equation, over heat time, with the minima and saddles that last;
    None without one."""
    if not (RUN / 'heat.pvd').exists():
        return None
    first = read(pv.XMLImageDataReader, 'heat/heat_0000.vti')  # at time 0: the highest and lowest
    data = fetch(first)
    pv.Delete(first)
    if min(data.VTKObject.GetDimensions()[:2]) < 2 or data.VTKObject.GetDimensions()[2] > 1 \
            or not finite_heights(data).size:
        return None
    view = new_view('under the heat equation')
    relief = Relief.of(data)
    series, (plane, critical) = read_series('heat.pvd', ('smoothed plane', 'critical points'))
    show_surface(view, plane, relief)
    points = show_critical(view, critical, relief, field_value(data, 'log10_zero', 0.0))
    text = 'Loss under the heat equation at heat time {time:g} (units of the plane, squared)'
    title(pv.AnnotateTimeFilter(registrationName='title', Input=series, Format=text), view)
    relief_axes(view, data, relief)
    aim(view, relief, clearest_direction(relief, points))
    return view


def show_critical(view, critical, relief, zero):
    """Balls at minima and saddles on the relief; returns the places of the first minima."""
    log_loss = f'log10(max(loss - {zero!r}, 1e-16))'
    lifted = pv.Calculator(registrationName='critical points on the relief', Input=critical,
                           CoordinateResults=1, Function='coordsX * iHat + coordsY * jHat + '
                           f'{relief.scale!r} * {relief.formula(log_loss)} * kHat')
    for kind, name, colour, bottom in ((0, 'minimum', VERMILLION, 0.94),
                                       (1, 'saddle', BLUE, 0.91)):
        show_glyphs(view, name, colour, only(lifted, 'kind', kind, f'{name} points'),
                    0.03 * relief.width)
        note(view, name, colour, bottom)
    lifted.UpdatePipeline()
    places = fetch(lifted)
    points = np.concatenate([np.array(block.Points) for block in places]) \
        if places.IsA('vtkCompositeDataSet') else np.array(places.Points)
    return points


def read_series(name, parts):
    """The reader of a time series, which stands at its first time, and its parts."""
    series = pv.PVDReader(registrationName=name, FileName=str(RUN / name))
    scene = pv.GetAnimationScene()
    scene.UpdateAnimationUsingDataTimeSteps()
    scene.GoToFirst()
    blocks = [pv.ExtractBlock(registrationName=part, Input=series, Selectors=[f'/Root/Block{k}'])
              for k, part in enumerate(parts)]
    for block in blocks:
        block.UpdatePipeline(scene.AnimationTime)
    return series, blocks


def volume_scene():
    """Nested surfaces of equal loss in a volume, with the paths; None without one."""
    if not (RUN / 'volume.vti').exists():
        return None
    image = read(pv.XMLImageDataReader, 'volume.vti')
    data = fetch(image)
    heights = finite_heights(data)
    if not heights.size:
        return None
    view = new_view('loss volume')
    lengths = np.array(data.VTKObject.GetSpacing()) * (np.array(data.VTKObject.GetDimensions()) - 1)
    width = lengths.max()
    levels = [float(np.quantile(heights, share)) for share, _ in SHELLS]
    low, high = 10.0**levels[0], 10.0**max(levels[-1], levels[0] + 1e-6)
    lut = colour_map('loss', 'Viridis (matplotlib)', low, high, logarithmic=True)
    for (share, opacity), level in zip(SHELLS, levels):
        shell = pv.Contour(registrationName=f'{100 * share:g} % of the volume', Input=image,
                           Isosurfaces=[level], ContourBy=['POINTS', 'log10_loss'])
        colour_by(show(shell, view, Opacity=opacity, Specular=0.15), 'loss', lut)
    colour_bar(lut, view, 'loss', 0.12, 0.32, decade_labels(low, high))
    if (RUN / 'paths.vtp').exists():
        show_volume_paths(view, read(pv.XMLPolyDataReader, 'paths.vtp'), width)
    show_balls(view, 'trained point', VERMILLION, [0, 0, 0], 0.03 * width)
    note(view, 'trained point', VERMILLION, 0.91)
    title(pv.Text(registrationName='title', Text='Surfaces of equal loss about the trained point'),
          view)
    axes(view, [field_value(data, f'axis_{axis}', axis) for axis in 'xyz'])
    focus = np.array(data.VTKObject.GetOrigin()) + lengths / 2
    direction = towards(235, 25)
    focus += 0.2 * width * np.cross([0, 0, 1], direction)  # room at the right
    view.CameraFocalPoint = focus.tolist()
    view.CameraPosition = (focus + 3.7 * width * direction).tolist()
    view.CameraViewUp = [0, 0, 1]
    view.CameraViewAngle = 30
    return view


def show_volume_paths(view, paths, width):
    """The paths as tubes in a volume, coloured by time."""
    pieces = lines_of(fetch(paths))
    tube = pv.Tube(registrationName='path', Input=paths, Radius=0.006 * width, NumberofSides=16)
    low, high, logarithmic = time_scale([time for _, time in pieces], [way for way, _ in pieces])
    lut = colour_map('time', LIGHT_TO_WARM, low, max(high, low + 1e-12), logarithmic)
    colour_by(show(tube, view), 'time', lut)
    labels = decade_labels(low, high) if logarithmic else linear_labels(low, high)
    colour_bar(lut, view, 'training time', 0.54, 0.32, labels)


def aim(view, relief, direction):
    """Puts the camera in `direction`, with room for the colour bars at the right."""
    right = np.cross([0, 0, 1], direction)
    focus = relief.centre + 0.08 * relief.width * right / np.linalg.norm(right)
    view.CameraFocalPoint = focus.tolist()
    view.CameraPosition = (focus + 3.1 * relief.width * direction).tolist()
    view.CameraViewUp = [0, 0, 1]
    view.CameraViewAngle = 30
    view.CenterOfRotation = relief.centre.tolist()


def show_probability(view, field, layers):
    """Probability of class 1 of two, diverging about one half."""
    lut = colour_map('probability', SOFT, 0, 1)
    colour_by(show(field, view, Specular=0, Ambient=1, Diffuse=0), 'probability', lut)
    colour_bar(lut, view, 'P(class 1)', 0.1, 0.4, [0, 0.25, 0.5, 0.75, 1])
    show_levels(view, field, 'probability', (0.5,), INK, 3.5, layers[2])
    show_levels(view, field, 'probability', (0.1, 0.9), GREY, 1, layers[2])


def show_classes(view, field, names, layers):
    """The winning class of several, paler where its probability is lower."""
    cells = pv.PointDatatoCellData(registrationName='classes', Input=field, PassPointData=1,
                                   CategoricalData=1)
    lut = categories('class', names)
    colour_by(show(cells, view, Ambient=1, Diffuse=0), 'class', lut, 'CELLS')
    doubt = pv.Calculator(registrationName='doubt', Input=field, ResultArrayName='doubt',
                          Function='1 - probability')
    most = 1 - 1 / len(names)
    white = pv.GetColorTransferFunction('doubt')
    white.RGBPoints = [0, 1, 1, 1, most, 1, 1, 1]
    white.EnableOpacityMapping = 1
    pv.GetOpacityTransferFunction('doubt').Points = [0, 0.35, 0.5, 0, most, 0.95, 0.5, 0]
    colour_by(show(doubt, view, Ambient=1, Diffuse=0, Position=layers[1]), 'doubt', white)
    for k in range(1, len(names)):
        mine = pv.Calculator(registrationName=names[k], Input=field, ResultArrayName='mine',
                             Function=f'if(abs(class - {k}) < 0.5, 1, 0)')
        show_levels(view, mine, 'mine', (0.5,), INK, 3.5, layers[2])
    show_levels(view, field, 'probability', (0.9,), GREY, 1, layers[2])


def show_levels(view, field, array, levels, colour, width, position):
    """Lines of equal `array` at `position`."""
    lines = pv.Contour(registrationName=f'{array} {", ".join(map(str, levels))}', Input=field,
                       ContourBy=['POINTS', array], Isosurfaces=list(levels))
    show(lines, view, colour=colour, LineWidth=width, Position=position)


def only(source, array, value, name):
    """The points of `source` whose integer `array` is `value`."""
    return pv.Threshold(registrationName=name, Input=source, Scalars=['POINTS', array],
                        ThresholdMethod='Between', LowerThreshold=value - 0.5,
                        UpperThreshold=value + 0.5)


def show_samples(view, samples, names, layers):
    """The training split coloured by label, with a gold ring around flipped labels."""
    training = only(samples, 'split', 0, 'training data')
    flipped = only(training, 'flipped', 1, 'flipped labels')
    coloured = pv.PassArrays(registrationName='labels', Input=training, PointDataArrays=['label'])
    disc = {'RenderPointsAsSpheres': 1, 'Ambient': 1, 'Diffuse': 0}
    show(training, view, 'Points', (1, 1, 1), PointSize=11, Position=layers[3], **disc)
    if fetch(flipped).VTKObject.GetNumberOfPoints() > 0:
        show(flipped, view, 'Points', GOLD, PointSize=18, Position=layers[4], **disc)
        note(view, 'gold ring: flipped', INK, 0.57)
    lut = categories('label', names)
    labels = show(coloured, view, 'Points', PointSize=8, Position=layers[5], **disc)
    colour_by(labels, 'label', lut)
    colour_bar(lut, view, 'label', 0.62, 0.06 * len(names))


def read_samples():
    """The data set and the names of its classes; None and two classes without one."""
    if not (RUN / 'decision/data.vtp').exists():
        return None, ['class 0', 'class 1']
    samples = read(pv.XMLPolyDataReader, 'decision/data.vtp')
    count = max(2, int(np.max(fetch(samples).PointData['label'])) + 1)
    return samples, [f'class {k}' for k in range(count)]


def decision_scene():
    """Decision field over time with the data; None without a decision field."""
    if not (RUN / 'decision.pvd').exists():
        return None
    view = new_view('decision field')
    series = pv.PVDReader(registrationName='decision.pvd', FileName=str(RUN / 'decision.pvd'))
    pv.GetAnimationScene().UpdateAnimationUsingDataTimeSteps()
    pv.GetAnimationScene().GoToLast()
    field = pv.ExtractBlock(registrationName='decision field', Input=series,
                            Selectors=['/Root/Block0'])
    field.UpdatePipeline(pv.GetAnimationScene().AnimationTime)
    bounds = field.GetDataInformation().GetBounds()
    # Points drawn as balls bulge by their radius: layers lie farther apart than that.
    layers = [[0, 0, k * 0.05 * (bounds[1] - bounds[0])] for k in range(6)]
    samples, names = read_samples()
    if 'class' in field.PointData.keys():
        show_classes(view, field, names, layers)
    else:
        show_probability(view, field, layers)
    if samples is not None:
        show_samples(view, samples, names, layers)
    title(pv.AnnotateTimeFilter(registrationName='title', Input=series,
                                Format='Decision field at training time {time:g}'), view)
    grid = axes(view, ('x0', 'x1', ''))
    grid.AxesToLabel = 1 + 2  # the left and the lower edge
    set_labels(grid, 'X', linear_labels(*bounds[:2]))
    set_labels(grid, 'Y', linear_labels(*bounds[2:4]))
    look_down(view, bounds)
    return view


def look_down(view, bounds):
    """A camera above the plane that fits `bounds` beside the colour bars."""
    (west, east, south, north), (width, height) = bounds[:4], RESOLUTION
    centre = [west + (east - west) / 2 / 0.9, (south + north) / 2]
    view.CameraParallelProjection = 1
    view.CameraParallelScale = 0.57 * max(north - south, (east - west) / 0.82 * height / width)
    view.CameraPosition = [*centre, 2 * (east - west)]
    view.CameraFocalPoint = [*centre, 0]
    view.CameraViewUp = [0, 1, 0]
    view.InteractionMode = '2D'


def save_picture(view, path):
    """One picture of a view as it stands."""
    pv.SaveScreenshot(str(path), view, ImageResolution=RESOLUTION)


def save_times(view, outdir, name):
    """NAME_0000.png, ...: a picture of each time."""
    scene = pv.GetAnimationScene()
    for k, time in enumerate(scene.TimeKeeper.TimestepValues):
        scene.AnimationTime = time
        save_picture(view, outdir / f'{name}_{k:04d}.png')


def save_movie(view, outdir, name):
    """Writes NAME.mp4, or its frames where there is no ffmpeg."""
    frames = outdir / f'{name}_frames'
    frames.mkdir(exist_ok=True)
    pv.SaveAnimation(str(frames / 'frame.png'), view, ImageResolution=RESOLUTION)
    if shutil.which('ffmpeg') is None:
        print(f'view.py: no ffmpeg; the frames are in {frames}', file=sys.stderr)
        return
    subprocess.run(['ffmpeg', '-y', '-loglevel', 'error', '-framerate', '6', '-i',
                    str(frames / 'frame.%04d.png'), '-pix_fmt', 'yuv420p',
                    str(outdir / f'{name}.mp4')], check=True)
    shutil.rmtree(frames)


def arguments():
    """What the command line asks for; ParaView itself leaves nothing on it."""
    parser = argparse.ArgumentParser(prog='pvbatch view.py', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--png', nargs='?', const=RUN / 'paraview', type=Path, metavar='OUTDIR',
                        help='write pictures, by default into paraview/')
    parser.add_argument('--movie', action='store_true',
                        help='with --png: animate what moves with time')
    return parser.parse_args(sys.argv[1:])


def main():
    """Builds the scenes; writes pictures where the command line asks for them."""
    asked = arguments()
    pv._DisableFirstRenderCameraReset()
    surface, heat = surface_scene(), heat_scene()
    volume, decision = volume_scene(), decision_scene()
    if asked.png is None:
        pv.RenderAllViews()
        pv.SetActiveView(surface or volume or decision)
        return
    asked.png.mkdir(parents=True, exist_ok=True)
    for view, name in ((surface, 'surface'), (volume, 'volume'), (decision, 'decision')):
        if view is not None:
            save_picture(view, asked.png / f'{name}.png')
    if heat is not None:
        save_times(heat, asked.png, 'heat')
    if asked.movie:
        for view, name in ((heat, 'heat'), (decision, 'decision')):
            if view is not None:
                save_movie(view, asked.png, name)


main()
