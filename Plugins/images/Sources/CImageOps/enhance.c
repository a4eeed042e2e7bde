/*
 * enhance - sharpness, contrast, brightness and saturation.
 *
 * Each is a line between the picture and what it looks like without the
 * quality: its blur, its mean grey, black, its grey version. Beyond the picture
 * the line goes on, which strengthens the quality.
 */
#include "image_ops.h"

#include <vips/vips.h>

/* plain + factor * (picture - plain), as a new image. NULL: failed. */
static VipsImage *along(VipsImage *plain, VipsImage *picture, double factor) {
    VipsImage *from_plain = NULL, *from_picture = NULL, *sum = NULL, *out = NULL;
    if (vips_linear1(plain, &from_plain, 1 - factor, 0, NULL) == 0 &&
        vips_linear1(picture, &from_picture, factor, 0, NULL) == 0 &&
        vips_add(from_plain, from_picture, &sum, NULL) == 0) {
        /* The cast clips at 0 and 255. */
        vips_cast_uchar(sum, &out, NULL);
    }
    g_clear_object(&sum);
    g_clear_object(&from_picture);
    g_clear_object(&from_plain);
    return out;
}

static VipsImage *sharpened(VipsImage *picture, double factor) {
    VipsImage *blurred = NULL;
    if (vips_gaussblur(picture, &blurred, 1.5, NULL) != 0) {
        return NULL;
    }
    VipsImage *out = along(blurred, picture, factor);
    g_object_unref(blurred);
    return out;
}

static VipsImage *contrasted(VipsImage *picture, double factor) {
    double mean;
    VipsImage *sum = NULL, *out = NULL;
    if (vips_avg(picture, &mean, NULL) != 0 ||
        vips_linear1(picture, &sum, factor, mean * (1 - factor), NULL) != 0) {
        return NULL;
    }
    vips_cast_uchar(sum, &out, NULL);
    g_object_unref(sum);
    return out;
}

static VipsImage *brightened(VipsImage *picture, double factor) {
    VipsImage *product = NULL, *out = NULL;
    if (vips_linear1(picture, &product, factor, 0, NULL) != 0) {
        return NULL;
    }
    vips_cast_uchar(product, &out, NULL);
    g_object_unref(product);
    return out;
}

static VipsImage *saturated(VipsImage *picture, double factor) {
    VipsImage *grey = NULL;
    if (vips_colourspace(picture, &grey, VIPS_INTERPRETATION_B_W, NULL) != 0) {
        return NULL;
    }
    VipsImage *out = along(grey, picture, factor);
    g_object_unref(grey);
    return out;
}

/* Replaces *picture by its enhancement; false: failed, *picture stays. */
static bool apply(VipsImage **picture, VipsImage *(*enhance)(VipsImage *, double), double factor) {
    if (factor == 1) {
        return true;
    }
    VipsImage *next = enhance(*picture, factor);
    if (next == NULL) {
        return false;
    }
    g_object_unref(*picture);
    *picture = next;
    return true;
}

image *image_enhance(image *opaque, struct image_enhancement factors) {
    VipsImage *whole = (VipsImage *)opaque, *colours = NULL, *alpha = NULL, *result = NULL;
    int bands = vips_image_get_bands(whole);
    if (!vips_image_hasalpha(whole)) {
        colours = g_object_ref(whole);
    } else if (vips_extract_band(whole, &colours, 0, "n", bands - 1, NULL) != 0 ||
               vips_extract_band(whole, &alpha, bands - 1, NULL) != 0) {
        g_clear_object(&colours);
        return NULL;
    }
    if (apply(&colours, sharpened, factors.sharpness) && apply(&colours, contrasted, factors.contrast) &&
        apply(&colours, brightened, factors.brightness) && apply(&colours, saturated, factors.saturation)) {
        VipsImage *joined = NULL;
        if (alpha == NULL || vips_bandjoin2(colours, alpha, &joined, NULL) == 0) {
            result = vips_image_copy_memory(joined != NULL ? joined : colours);
        }
        g_clear_object(&joined);
    }
    g_clear_object(&alpha);
    g_object_unref(colours);
    return (image *)result;
}
