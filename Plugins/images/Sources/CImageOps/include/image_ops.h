/*
 * image_ops.h - the libvips operations of this bundle, without libvips's types.
 *
 * Every operation makes a new picture that is wholly computed when it returns;
 * NULL: failed, image_failure() says why. The caller frees with image_free.
 */
#ifndef IMAGE_OPS_H
#define IMAGE_OPS_H
#include <stdbool.h>
#include <stddef.h>

typedef struct image image;

/* Sets libvips up, once in a process; never while the bundle loads. false: failed. */
bool image_start(void);
/* What went wrong last, in libvips's words; valid until the next call. */
const char *image_failure(void);

/* Reads the picture behind an open file, turned upright, as sRGB with 8 bits. Leaves the descriptor open.
 * Pictures of more than max_pixels are refused before they are decoded. */
image *image_load(int descriptor, double max_pixels);
int image_width(const image *picture);
int image_height(const image *picture);

/* sigma: of the Gaussian, in pixels. */
image *image_blur(image *picture, double sigma);
/* Clockwise. What the turned picture leaves uncovered is white, or clear if the picture has an alpha channel. */
image *image_rotate(image *picture, double degrees);
image *image_resize(image *picture, int width, int height);
/* The largest picture of the same shape within width x height, never larger than the original. */
image *image_thumbnail(image *picture, int width, int height);

/* Factors: 1 leaves the picture as it is, 0 takes the quality away, above 1 strengthens it. */
struct image_enhancement {
    double sharpness, contrast, brightness, saturation;
};
image *image_enhance(image *picture, struct image_enhancement factors);

/* suffix: the format, ".jpg". The bytes are the caller's, to be freed with image_free_bytes. false: failed. */
bool image_encode(image *picture, const char *suffix, void **bytes, size_t *length);
void image_free_bytes(void *bytes);
void image_free(image *picture);

#endif
