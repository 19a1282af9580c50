/* The views of colour images on a CPU, one image at a time, so that all of its steps stay in the first-level cache.
 *
 * The steps and their order are those of trainables/views/crop.py and colour.py. trainables/views/cpu_kernel.py
 * compiles this file and calls `make_views`.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE };

#define LANES 16      /* of a sum: partial sums in a fixed order, which compilers can keep in a vector register */
#define LARGEST 32    /* largest side of an image */
#define MOST (LARGEST * LARGEST)

static inline float clip(float x) {
    x = x < 0.0f ? 0.0f : x;
    return x > 1.0f ? 1.0f : x;
}

static inline float luma(float red, float green, float blue) {
    return 0.2989f * red + 0.587f * green + 0.114f * blue;
}

/* Sum `taps` rows of `width` numbers from `source`, with the weights of each of `count` rows of `target`. */
static void resample(float *restrict target, const float *restrict source, const float *weights,
                     const int32_t *leftmost, int count, int width, int taps) {
    for (int row = 0; row < count; row++) {
        float *to = target + row * width;
        const float *from = source + leftmost[row] * width;
        memset(to, 0, width * sizeof(float));
        for (int tap = 0; tap < taps; tap++) {
            const float weight = weights[row * taps + tap];
            for (int k = 0; k < width; k++) to[k] += weight * from[tap * width + k];
        }
    }
}

/* planes <- clip(keep planes + to_mean mean(grey) + to_grey grey) */
static void blend(float *restrict red, float *restrict green, float *restrict blue, int pixels, float keep,
                  float to_mean, float to_grey) {
    float partial[LANES] = {0.0f}, mean = 0.0f;
    if (to_mean != 0.0f) {
        int k = 0;
        for (; k + LANES <= pixels; k += LANES)
            for (int lane = 0; lane < LANES; lane++)
                partial[lane] += luma(red[k + lane], green[k + lane], blue[k + lane]);
        for (; k < pixels; k++) partial[0] += luma(red[k], green[k], blue[k]);
        for (int lane = 0; lane < LANES; lane++) mean += partial[lane];
        mean *= to_mean / pixels;
    }
    for (int k = 0; k < pixels; k++) {
        const float reference = to_grey * luma(red[k], green[k], blue[k]) + mean;
        red[k] = clip(keep * red[k] + reference);
        green[k] = clip(keep * green[k] + reference);
        blue[k] = clip(keep * blue[k] + reference);
    }
}

static inline float channel(float hue, float pure) {
    return clip(fabsf(fabsf(hue - pure) - 3.0f) - 1.0f);
}

static void shift_hue(float *restrict red, float *restrict green, float *restrict blue, int pixels, float shift) {
    for (int k = 0; k < pixels; k++) {
        const float r = red[k], g = green[k], b = blue[k];
        const float low = r < g ? (r < b ? r : b) : (g < b ? g : b);
        const float high = r > g ? (r > b ? r : b) : (g > b ? g : b);
        float chroma = high - low;
        chroma = chroma < 1e-12f ? 1e-12f : chroma;
        float hue = copysignf((g + b - r - low) / chroma + 1.0f, g - b) + 6.0f * shift;
        hue -= 6.0f * rintf(hue / 6.0f);
        red[k] = clip(low + chroma * channel(hue, 0.0f));
        green[k] = clip(low + chroma * channel(hue, 2.0f));
        blue[k] = clip(low + chroma * channel(hue, -2.0f));
    }
}

/* `count` views of images uint8 (batch, 3, size, size); view i is of image sources[i]. Row b of `weights`
 * (boxes, size, taps) and `leftmost` (boxes, size) resamples a line to its box; `rows` and `columns` are the boxes of
 * the views. `amounts (count, 4)` and `order (count, 4)` are those of `Jitter`. `views` are (count, size, size, 3).
 */
void make_views(const uint8_t *images, const int64_t *sources, float *views, int64_t count, int64_t size,
                int64_t taps, const float *weights, const int32_t *leftmost, const int64_t *rows,
                const int64_t *columns, const float *amounts, const int64_t *order, const uint8_t *grey) {
    const int side = (int)size, pixels = side * side, width = 3 * side;
    float pixel_rows[3 * MOST], cropped[3 * MOST], turned[3 * MOST], view[3 * MOST];
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *image = images + sources[i] * 3 * pixels;
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < side; y++)
                for (int x = 0; x < side; x++)
                    pixel_rows[y * width + c * side + x] = image[c * pixels + y * side + x] / 255.0f;
        resample(cropped, pixel_rows, weights + rows[i] * side * taps, leftmost + rows[i] * side, side, width,
                 (int)taps);
        /* Columns become rows, so that the second pass runs along whole rows too. */
        for (int x = 0; x < side; x++)
            for (int c = 0; c < 3; c++)
                for (int y = 0; y < side; y++)
                    turned[x * width + c * side + y] = cropped[y * width + c * side + x];
        resample(cropped, turned, weights + columns[i] * side * taps, leftmost + columns[i] * side, side, width,
                 (int)taps);
        float *red = view, *green = view + pixels, *blue = view + 2 * pixels;
        for (int x = 0; x < side; x++)
            for (int c = 0; c < 3; c++)
                for (int y = 0; y < side; y++)
                    view[c * pixels + x * side + y] = clip(cropped[x * width + c * side + y]);
        for (int stage = 0; stage < 4; stage++) {
            const int64_t operation = order[4 * i + stage];
            const float amount = amounts[4 * i + operation], change = 1.0f - amount;
            if (operation == HUE) {
                if (amount != 0.0f) shift_hue(red, green, blue, pixels, amount);
            } else if (change != 0.0f) {
                blend(red, green, blue, pixels, 1.0f - change, operation == CONTRAST ? change : 0.0f,
                      operation == SATURATION ? change : 0.0f);
            }
        }
        if (grey[i]) blend(red, green, blue, pixels, 0.0f, 0.0f, 1.0f);
        float *to = views + i * 3 * pixels;
        for (int y = 0; y < side; y++)
            for (int x = 0; x < side; x++)
                for (int c = 0; c < 3; c++)
                    to[(y * side + x) * 3 + c] = view[c * pixels + x * side + y];
    }
}
