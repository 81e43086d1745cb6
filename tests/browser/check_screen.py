"""Holds screenshots of viewers against the picture that they show.

python check_screen.py PICTURE SCREEN.png...

Where a screenshot shows the picture is found from the screenshot: first by the picture's red and green,
which tell column and row, then by turning scale and place until the difference is least. So a viewer may
show whichever part it likes, at whichever scale. The page's background is magenta.
"""

import sys

import numpy
from PIL import Image

# Mean difference of a sample in any square: JPEG's losses, and those of levels that viewers draw larger or
# smaller than they are.
SQUARE_MAX, SQUARE_PX = 4.5, 48
# By how much a square may lie elsewhere than the whole says, in pixels of the screen, or of the picture where
# those are larger: OpenSeadragon draws tiles that do not overlap a pixel larger than they are, to leave no
# gaps.
SHIFT_MAX_PX = 0.65
# What a row or column may differ more than its neighbours do: a gap or doubled pixels between tiles make a
# line.
LINE_MAX = 3.0
# Of the scales in x and y.
ASPECT_MAX = 1.005
# Until a step changes no place on the screen by this many of the picture's pixels.
STEPS_MAX, STEP_MIN = 8, 0.02
# Of the rows and columns that tell the place one in so many is enough.
EVERY = 3


class Picture:
    def __init__(self, file):
        full = Image.open(file).convert("RGB")
        self.levels = {1: full}
        pixels = numpy.asarray(full, numpy.float64)
        self.slopes = [self.line(pixels[:, :, band].mean(axis=1 - axis)) for band, axis in ((0, 1), (1, 0))]

    @staticmethod
    def line(means):
        """Slope and start of a run of means, by their centres."""
        return numpy.polyfit(numpy.arange(len(means)) + 0.5, means, 1)

    def render(self, size, way, every=1):
        """A screen of `size`, or of its rows and columns one of `every`. `way`: for x and y, how many of the
        picture's pixels are one of the screen's, and where the screen begins."""
        (scale_x, left), (scale_y, top) = way
        factor = 1
        while factor * 2 <= max(scale_x, scale_y):
            factor *= 2
        if factor not in self.levels:
            self.levels[factor] = self.levels[1].reduce(factor)
        # From the centre of a pixel on, as Pillow counts.
        left, top = (start - scale * (every - 1) / 2 for scale, start in way)
        matrix = [scale_x * every, 0, left, 0, scale_y * every, top]
        matrix = [number / factor for number in matrix]
        size = tuple(-(-side // every) for side in size)
        level = self.levels[factor]
        shown = level.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
        return numpy.asarray(shown, numpy.float64)


def shown(file):
    """The part of a screenshot that is no background, without the outermost pixels."""
    pixels = numpy.asarray(Image.open(file).convert("RGB"), numpy.float64)
    inside = ~((pixels[:, :, 0] > 245) & (pixels[:, :, 2] > 245) & (pixels[:, :, 1] < 10))
    rows, columns = (numpy.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    assert len(rows) > 64 and len(columns) > 64, f"{file}: shows nothing"
    return pixels[rows[0] + 2 : rows[-1] - 1, columns[0] + 2 : columns[-1] - 1]


def first_way(picture, pixels):
    way = []
    for band, axis in ((0, 1), (1, 0)):
        slope, start = Picture.line(pixels[:, :, band].mean(axis=1 - axis))
        own_slope, own_start = picture.slopes[band]
        way.append([slope / own_slope, (start - own_start) / own_slope])
    return numpy.array(way)


def turned(picture, pixels, way):
    """The way with the least difference: Gauss and Newton's method with differences for slopes."""
    size = (pixels.shape[1], pixels.shape[0])
    for _ in range(STEPS_MAX):
        base = picture.render(size, way, EVERY)
        slopes = []
        for axis, at in ((0, 0), (0, 1), (1, 0), (1, 1)):
            step = 0.5 / size[axis] if at == 0 else 0.5
            moved = way.copy()
            moved[axis, at] += step
            slopes.append((picture.render(size, moved, EVERY) - base).ravel() / step)
        rest = (pixels[::EVERY, ::EVERY] - base).ravel()
        change, *_ = numpy.linalg.lstsq(numpy.stack(slopes, axis=1), rest, rcond=None)
        change = change.reshape(2, 2)
        way = way + change
        if (abs(change) * [[size[0], 1], [size[1], 1]]).max() < STEP_MIN:
            break
    return way


def line_excess(difference):
    """By how much the worst row or column differs more than those around it."""
    worst = 0.0
    for axis in (0, 1):
        means = difference.mean(axis=axis)
        around = numpy.median(numpy.lib.stride_tricks.sliding_window_view(means, 15), axis=1)
        worst = max(worst, (means[7:-7] - around).max())
    return worst


def squares(values):
    """The mean of each square."""
    rows, columns = (side // SQUARE_PX for side in values.shape)
    values = values[: rows * SQUARE_PX, : columns * SQUARE_PX]
    return values.reshape(rows, SQUARE_PX, columns, SQUARE_PX).mean(axis=(1, 3))


def shift_worst(pixels, expected):
    """Screen pixels by which the worst square would have to be moved: Lucas and Kanade's method."""
    down, right = numpy.gradient(expected, axis=(0, 1))
    rest = expected - pixels
    product = lambda one, other: squares((one * other).sum(axis=2))
    matrix = numpy.array([[product(right, right), product(right, down)], [product(down, right), product(down, down)]])
    vector = numpy.array([product(right, rest), product(down, rest)])
    # The indices of squares first, as solve() wants them.
    moves = numpy.linalg.solve(matrix.transpose(2, 3, 0, 1), vector.transpose(1, 2, 0)[..., None])
    return numpy.hypot(moves[..., 0, 0], moves[..., 1, 0]).max()


def check(picture, file):
    pixels = shown(file)
    way = turned(picture, pixels, first_way(picture, pixels))
    expected = picture.render((pixels.shape[1], pixels.shape[0]), way)
    difference = abs(pixels - expected).mean(axis=2)
    shift = shift_worst(pixels, expected) * min(1, way[0][0])
    measures = squares(difference).max(), line_excess(difference), shift
    size = f"{pixels.shape[1]}x{pixels.shape[0]}"
    told = "worst square {:.2f}, worst line {:.2f}, moved by {:.2f}".format(*measures)
    print(f"{file}: {size} at 1:{way[0][0]:.3f} from {way[0][1]:.1f},{way[1][1]:.1f}: {told}")
    aspect = way[0][0] / way[1][0]
    assert 1 / ASPECT_MAX < aspect < ASPECT_MAX, f"{file}: distorted by {aspect:.4f}"
    limits = SQUARE_MAX, LINE_MAX, SHIFT_MAX_PX
    assert all(measure < limit for measure, limit in zip(measures, limits)), f"{told}; at most {limits}"


def main(image, screens):
    picture = Picture(image)
    for screen in screens:
        check(picture, screen)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
