/* watermark.h - text written across a picture, by libvips. Un texto sobre una imagen. */
#ifndef WATERMARK_H
#define WATERMARK_H
#include <stdbool.h>

/* Reads the picture `path`, and writes it with `text` to `output`, in the format of its suffix, whole or not at all.
 * false: failed, watermark_failure() says why. */
bool watermark_file(const char *path, const char *text, const char *output);
const char *watermark_failure(void);

#endif
