/* watermark - see watermark.h. */
#include "watermark.h"

#include <errno.h>
#include <stdio.h>
#include <vips/vips.h>

/* A stranger's file may be small and its picture huge. El archivo puede ser chico y la imagen, enorme. */
static const double max_pixels = 100e6;
static const double opacity = 0.6;

const char *watermark_failure(void) {
    static char text[512];
    g_strlcpy(text, vips_error_buffer(), sizeof text);
    g_strstrip(text);
    vips_error_clear();
    return text[0] != '\0' ? text : "unknown reason";
}

static VipsImage *loaded(const char *path) {
    VipsImage *stored = vips_image_new_from_file(path, NULL), *upright = NULL, *coloured = NULL;
    if (stored == NULL) {
        return NULL;
    }
    if ((double)vips_image_get_width(stored) * vips_image_get_height(stored) > max_pixels) {
        vips_error("watermark", "%s has more than %.0f pixels", path, max_pixels);
    } else if (vips_autorot(stored, &upright, NULL) == 0) {
        vips_colourspace(upright, &coloured, VIPS_INTERPRETATION_sRGB, NULL);
    }
    g_clear_object(&upright);
    g_object_unref(stored);
    return coloured;
}

/* The text in white, as wide as half the picture, transparent where there is none. NULL: failed. */
static VipsImage *lettering(const char *text, int width) {
    VipsImage *shape = NULL, *faint = NULL, *alpha = NULL, *white = NULL, *letters = NULL;
    /* Pango reads the text as markup: what a stranger writes is to be read as it stands. */
    char *plain = g_markup_escape_text(text, -1);
    if (vips_text(&shape, plain, "font", "sans bold", "width", width / 2, "height", width / 8, NULL) == 0 &&
        vips_linear1(shape, &faint, opacity, 0, NULL) == 0 && vips_cast_uchar(faint, &alpha, NULL) == 0) {
        VipsImage *flat = vips_image_new_from_image(alpha, (double[]){255, 255, 255}, 3);
        if (flat != NULL && vips_copy(flat, &white, "interpretation", VIPS_INTERPRETATION_sRGB, NULL) == 0) {
            vips_bandjoin2(white, alpha, &letters, NULL);
        }
        g_clear_object(&flat);
    }
    g_free(plain);
    g_clear_object(&white);
    g_clear_object(&alpha);
    g_clear_object(&faint);
    g_clear_object(&shape);
    return letters;
}

/* Under another name of the same suffix first: the suffix says the format. */
static bool write_whole(VipsImage *picture, const char *output) {
    char *folder = g_path_get_dirname(output), *name = g_path_get_basename(output);
    char *aside = g_strdup_printf("%s/.new-%s", folder, name);
    bool written = vips_image_write_to_file(picture, aside, NULL) == 0;
    if (written && rename(aside, output) != 0) {
        vips_error_system(errno, "watermark", "%s", output);
        written = false;
    }
    g_free(aside);
    g_free(name);
    g_free(folder);
    return written;
}

bool watermark_file(const char *path, const char *text, const char *output) {
    if (VIPS_INIT("gallery") != 0) {
        return false;
    }
    /* Only loaders that libvips's authors have fuzzed; one task, one processor. */
    vips_block_untrusted_set(TRUE);
    vips_concurrency_set(1);
    VipsImage *picture = loaded(path), *letters = NULL, *marked = NULL, *flat = NULL;
    bool done = false;
    if (picture != NULL && (letters = lettering(text, vips_image_get_width(picture))) != NULL) {
        int x = vips_image_get_width(picture) * 31 / 32 - vips_image_get_width(letters);
        int y = vips_image_get_height(picture) * 31 / 32 - vips_image_get_height(letters);
        done = vips_composite2(picture, letters, &marked, VIPS_BLEND_MODE_OVER, "x", x, "y", y, NULL) == 0 &&
               vips_flatten(marked, &flat, NULL) == 0 && write_whole(flat, output);
    }
    g_clear_object(&flat);
    g_clear_object(&marked);
    g_clear_object(&letters);
    g_clear_object(&picture);
    return done;
}
