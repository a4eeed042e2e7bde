/* image_ops - see image_ops.h. */
#include "image_ops.h"

#include <vips/vips.h>

static image *handle(VipsImage *picture) { return (image *)picture; }
static VipsImage *vips(const image *picture) { return (VipsImage *)picture; }

bool image_start(void) {
    static bool started;
    if (started) {
        return true;
    }
    if (VIPS_INIT("images") != 0) {
        return false;
    }
    /* Pictures come from strangers: only loaders that libvips's authors have fuzzed. */
    vips_block_untrusted_set(TRUE);
    /* One task, one processor: the host decides how many tasks run at once. */
    vips_concurrency_set(1);
    vips_cache_set_max(0);
    started = true;
    return true;
}

const char *image_failure(void) {
    static char text[512];
    g_strlcpy(text, vips_error_buffer(), sizeof text);
    g_strstrip(text);
    vips_error_clear();
    return text[0] != '\0' ? text : "unknown reason";
}

/* libvips computes on demand; here is where it does. Takes `lazy` over. */
static image *computed(VipsImage *lazy) {
    VipsImage *copy = vips_image_copy_memory(lazy);
    g_object_unref(lazy);
    return handle(copy);
}

image *image_load(int descriptor, double max_pixels) {
    VipsSource *source = vips_source_new_from_descriptor(descriptor);
    if (source == NULL) {
        return NULL;
    }
    VipsImage *stored = vips_image_new_from_source(source, "", NULL);
    g_object_unref(source);
    if (stored == NULL) {
        return NULL;
    }
    double pixels = (double)vips_image_get_width(stored) * vips_image_get_height(stored);
    if (pixels > max_pixels) {
        vips_error("image", "%d x %d pixels are more than %.0f", vips_image_get_width(stored),
                   vips_image_get_height(stored), max_pixels);
        g_object_unref(stored);
        return NULL;
    }
    VipsImage *upright = NULL, *coloured = NULL, *narrow = NULL;
    image *result = NULL;
    if (vips_autorot(stored, &upright, NULL) == 0 &&
        vips_colourspace(upright, &coloured, VIPS_INTERPRETATION_sRGB, NULL) == 0 &&
        vips_cast_uchar(coloured, &narrow, NULL) == 0) {
        result = computed(narrow);
    }
    g_clear_object(&coloured);
    g_clear_object(&upright);
    g_object_unref(stored);
    return result;
}

int image_width(const image *picture) { return vips_image_get_width(vips(picture)); }
int image_height(const image *picture) { return vips_image_get_height(vips(picture)); }

image *image_blur(image *picture, double sigma) {
    VipsImage *out = NULL;
    return vips_gaussblur(vips(picture), &out, sigma, NULL) == 0 ? computed(out) : NULL;
}

image *image_rotate(image *picture, double degrees) {
    VipsImage *out = NULL;
    if (vips_image_hasalpha(vips(picture))) {
        return vips_rotate(vips(picture), &out, degrees, NULL) == 0 ? computed(out) : NULL;
    }
    double white[] = {255, 255, 255};
    int bands = vips_image_get_bands(vips(picture));
    VipsArrayDouble *background = vips_array_double_new(white, bands < 3 ? 1 : 3);
    int status = vips_rotate(vips(picture), &out, degrees, "background", background, NULL);
    vips_area_unref(VIPS_AREA(background));
    return status == 0 ? computed(out) : NULL;
}

image *image_resize(image *picture, int width, int height) {
    VipsImage *out = NULL;
    double across = (double)width / image_width(picture);
    double down = (double)height / image_height(picture);
    return vips_resize(vips(picture), &out, across, "vscale", down, NULL) == 0 ? computed(out) : NULL;
}

image *image_thumbnail(image *picture, int width, int height) {
    VipsImage *out = NULL;
    int status = vips_thumbnail_image(vips(picture), &out, width, "height", height, "size", VIPS_SIZE_DOWN, NULL);
    return status == 0 ? computed(out) : NULL;
}

bool image_encode(image *picture, const char *suffix, void **bytes, size_t *length) {
    return vips_image_write_to_buffer(vips(picture), suffix, bytes, length, NULL) == 0;
}

void image_free_bytes(void *bytes) { g_free(bytes); }
void image_free(image *picture) { g_object_unref(vips(picture)); }
