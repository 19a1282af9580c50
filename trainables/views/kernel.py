"""Triton kernel for the views of colour images: one program makes one view. `trainables.views.fused` launches it.

A program draws nothing. It turns the uniform numbers of its view into parameters as `Views` does, and keeps the three
planes of the image in registers from the crop to the last colour operation. Only this module imports Triton, which is
not installed on every machine.
"""

# mypy: disable-error-code="no-untyped-def"

import triton
import triton.language as tl

from trainables.views.colour import LUMA

#: Weights of red, green and blue in a grey image.
_RED = tl.constexpr(LUMA[0])
_GREEN = tl.constexpr(LUMA[1])
_BLUE = tl.constexpr(LUMA[2])


@triton.jit
def _resize_weights(start, extent, flip, size, BLOCK: tl.constexpr, BILINEAR: tl.constexpr):
    """Weights (target, source) of `resample_weights` for as many targets as sources."""
    pixels = tl.arange(0, BLOCK)[None, :].to(tl.float32)
    targets = tl.abs((tl.arange(0, BLOCK)[:, None].to(tl.float32) + 0.5) / size - flip)
    centre = start + extent * targets
    distance = tl.abs((pixels + 0.5 - centre) / tl.maximum(extent / size, 1.0))
    near = tl.minimum(tl.maximum(1.0 - distance, 0.0), 1.0)
    if BILINEAR:
        weights = near
    else:
        far = tl.minimum(tl.maximum(2.0 - distance, 0.0), 1.0)
        weights = near * (0.5 + near * (2.0 - 1.5 * near)) - 0.5 * far * far * (1.0 - far)
    weights = tl.where((pixels >= start) & (pixels < start + extent), weights, 0.0)
    total = tl.sum(weights, axis=1)[:, None]
    return weights / tl.where(total == 0.0, 1.0, total)  # rows beyond the image have no weights


@triton.jit
def _cut(x):
    return tl.minimum(tl.maximum(x, 0.0), 1.0)


@triton.jit
def _grey(red, green, blue):
    return _RED * red + _GREEN * green + _BLUE * blue


@triton.jit
def _pure(hue, at):
    """The share of a channel whose pure colour has the hue `at`, in sixths of a turn."""
    return _cut(tl.abs(tl.abs(hue - at) - 3.0) - 1.0)


@triton.jit
def views_kernel(
    images,  # uint8 (N, 3, size, size)
    uniform,  # float32 (V, columns), in the order of `Views.draw_stacked`
    views,  # (V, size, size, 3)
    batch,  # images of a seed; its views are two times as many
    columns,
    size,
    low_area,
    high_area,
    low_shape,  # logarithms of the stretch of the sides
    high_shape,
    flip_probability,
    jitter_probability,
    brightness,
    contrast,
    saturation,
    hue_range,
    grey_probability,
    solarise_probability,
    solarise_threshold,
    red_mean,
    green_mean,
    blue_mean,
    red_deviation,
    green_deviation,
    blue_deviation,
    ATTEMPTS: tl.constexpr,
    SOLARISE: tl.constexpr,  # whether the uniform numbers have a column for it
    BILINEAR: tl.constexpr,
    NORMALISE: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """Make view number `program_id` of the image to which it belongs."""
    view = tl.program_id(0)
    image = (view // (2 * batch)) * batch + view % batch
    draw = uniform + view * columns

    height, width, found = size * 1.0, size * 1.0, 0
    for attempt in tl.static_range(ATTEMPTS):
        area = tl.load(draw + attempt)
        shape = tl.load(draw + ATTEMPTS + attempt)
        side = tl.sqrt(area * (high_area - low_area) + low_area) * size
        stretch = tl.exp(shape * (high_shape - low_shape) + low_shape)
        tall = tl.maximum(tl.floor(side / stretch + 0.5), 1.0)
        wide = tl.maximum(tl.floor(side * stretch + 0.5), 1.0)
        fits = (tall <= size) & (wide <= size)
        height = tl.where(fits & (found == 0), tall, height)
        width = tl.where(fits & (found == 0), wide, width)
        found = tl.where(fits, 1, found)
    rest = draw + 2 * ATTEMPTS
    top = tl.floor(tl.load(rest) * (size + 1 - height))
    left = tl.floor(tl.load(rest + 1) * (size + 1 - width))
    flip = tl.where(tl.load(rest + 2) < flip_probability, 1.0, 0.0)
    jittered = tl.where(tl.load(rest + 3) < jitter_probability, 1.0, 0.0)
    by_brightness = 1.0 + (2.0 * tl.load(rest + 4) - 1.0) * jittered * brightness
    by_contrast = 1.0 + (2.0 * tl.load(rest + 5) - 1.0) * jittered * contrast
    by_saturation = 1.0 + (2.0 * tl.load(rest + 6) - 1.0) * jittered * saturation
    by_hue = (2.0 * tl.load(rest + 7) - 1.0) * jittered * hue_range
    order0, order1 = tl.load(rest + 8), tl.load(rest + 9)
    order2, order3 = tl.load(rest + 10), tl.load(rest + 11)
    stage1 = (order0 <= order1).to(tl.int32) + (order2 < order1).to(tl.int32) + (order3 < order1).to(tl.int32)
    stage2 = (
        (order0 <= order2).to(tl.int32) + (order1 <= order2).to(tl.int32) + (order3 < order2).to(tl.int32)
    )
    stage3 = (
        (order0 <= order3).to(tl.int32) + (order1 <= order3).to(tl.int32) + (order2 <= order3).to(tl.int32)
    )
    to_grey = tl.load(rest + 12) < grey_probability

    y, x = tl.arange(0, BLOCK)[:, None], tl.arange(0, BLOCK)[None, :]
    inside = (y < size) & (x < size)
    pixels = images + image * 3 * size * size + y * size + x
    rows = _resize_weights(top, height, 0.0, size, BLOCK, BILINEAR)
    turned = tl.trans(_resize_weights(left, width, flip, size, BLOCK, BILINEAR))
    red = tl.load(pixels, mask=inside, other=0).to(tl.float32) / 255.0
    red = _cut(tl.dot(tl.dot(rows, red, input_precision="ieee"), turned, input_precision="ieee"))
    green = tl.load(pixels + size * size, mask=inside, other=0).to(tl.float32) / 255.0
    green = _cut(tl.dot(tl.dot(rows, green, input_precision="ieee"), turned, input_precision="ieee"))
    blue = tl.load(pixels + 2 * size * size, mask=inside, other=0).to(tl.float32) / 255.0
    blue = _cut(tl.dot(tl.dot(rows, blue, input_precision="ieee"), turned, input_precision="ieee"))

    for stage in range(4):
        if stage3 == stage:
            least = tl.minimum(tl.minimum(red, green), blue)
            chroma = tl.maximum(tl.maximum(tl.maximum(red, green), blue) - least, 1e-12)
            hue = (green + blue - red - least) / chroma + 1.0
            hue = tl.where(green >= blue, hue, -hue) + 6.0 * by_hue
            hue = hue - 6.0 * tl.floor(hue / 6.0 + 0.5)
            red = least + chroma * _pure(hue, 0.0)
            green = least + chroma * _pure(hue, 2.0)
            blue = least + chroma * _pure(hue, -2.0)
        else:
            by = tl.where(
                stage1 == stage, by_contrast, tl.where(stage2 == stage, by_saturation, by_brightness)
            )
            greys = _grey(red, green, blue)
            mean = tl.sum(tl.sum(tl.where(inside, greys, 0.0), axis=1), axis=0) / (size * size)
            to_mean = tl.where(stage1 == stage, 1.0 - by, 0.0)
            to_greys = tl.where(stage2 == stage, 1.0 - by, 0.0)
            reference = greys * to_greys + mean * to_mean
            red = _cut(red * by + reference)
            green = _cut(green * by + reference)
            blue = _cut(blue * by + reference)
    if to_grey:
        greys = _grey(red, green, blue)
        red = greys
        green = greys
        blue = greys

    if SOLARISE:  # noqa: SIM102 (decided when the kernel is compiled)
        if tl.load(rest + 15) < solarise_probability:
            red = tl.where(red >= solarise_threshold, 1.0 - red, red)
            green = tl.where(green >= solarise_threshold, 1.0 - green, green)
            blue = tl.where(blue >= solarise_threshold, 1.0 - blue, blue)
    if NORMALISE:
        red = (red - red_mean) / red_deviation
        green = (green - green_mean) / green_deviation
        blue = (blue - blue_mean) / blue_deviation

    out = views + view * 3 * size * size + (y * size + x) * 3
    tl.store(out, red.to(views.dtype.element_ty), mask=inside)
    tl.store(out + 1, green.to(views.dtype.element_ty), mask=inside)
    tl.store(out + 2, blue.to(views.dtype.element_ty), mask=inside)
