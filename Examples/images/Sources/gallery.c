/*
 * gallery - what the example does beyond Plugins/images: a watermark, and the end of an upload.
 * Lo que el ejemplo agrega: la marca de agua y el final de cada envío.
 */
#include "watermark.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <taskhost.h>

/* The path of the new picture. La ruta de la imagen nueva. */
static char *watermark(task_context *task, const char *path, const char *text, const char *output) {
    if (!watermark_file(path, text, output)) {
        task_fail(task, "ImageError", watermark_failure());
        return NULL;
    }
    return strdup(output);
}
TASK_DEF_CTX(watermark, str_owned, (str, path), (str, text), (str, output));
TASK_OPTIONS(watermark, .soft_limit = 30, .hard_limit = 40, .doc = "Writes `text` across the lower right of a picture.");

static void fail(task_context *task, const char *path) {
    char message[512];
    snprintf(message, sizeof message, "%s: %s", path, strerror(errno));
    task_fail(task, "OSError", message);
}

/* The body of the chord: `results` are those of all members, in their order. Whoever finds the index finds it whole.
 * El cuerpo del acorde: recibe los resultados de todos los miembros, en su orden. */
static char *collect(task_context *task, const char *results, const char *index) {
    char aside[4096];
    if (snprintf(aside, sizeof aside, "%s.new", index) >= (int)sizeof aside) {
        task_fail(task, "ValueError", "the path of the index is too long");
        return NULL;
    }
    FILE *file = fopen(aside, "we");
    if (file == NULL) {
        fail(task, aside);
        return NULL;
    }
    int written = fputs(results, file);
    if (fclose(file) != 0 || written < 0 || rename(aside, index) != 0) {
        fail(task, index);
        return NULL;
    }
    return strdup(results);
}
TASK_DEF_CTX(collect, json_owned, (json, results), (str, index));
TASK_OPTIONS(collect, .hard_limit = 10, .doc = "Writes what became of an upload into its index.");

TASKHOST_BUNDLE("gallery", "1.0.0");
