/* pdf.c - a table as a PDF file, by cairo. Una tabla en un archivo PDF. */
#include "pdf.h"

#include <cairo-pdf.h>

/* Points, 72 in an inch: A4, and how the table lies on it. Puntos: A4 y el lugar de la tabla. */
static const double width = 595, height = 842, margin = 56, line = 18;

static void text(cairo_t *page, double x, double y, double size, const char *words) {
    cairo_set_font_size(page, size);
    cairo_move_to(page, x, y);
    cairo_show_text(page, words);
}

static void row(cairo_t *page, double y, const char *const *cells, int columns) {
    for (int column = 0; column < columns; column++) {
        text(page, margin + column * (width - 2 * margin) / columns, y, 11, cells[column]);
    }
}

const char *report_pdf(const char *path, const char *title, const char *subtitle, const char *const *cells, int rows,
                       int columns) {
    cairo_surface_t *surface = cairo_pdf_surface_create(path, width, height);
    cairo_t *page = cairo_create(surface);
    cairo_select_font_face(page, "sans-serif", CAIRO_FONT_SLANT_NORMAL, CAIRO_FONT_WEIGHT_NORMAL);
    text(page, margin, margin + line, 20, title);
    text(page, margin, margin + 2.5 * line, 11, subtitle);
    double y = margin + 4.5 * line;
    for (int number = 0; number < rows; number++, y += line) {
        if (y > height - margin) { /* the next page begins with the heading again */
            cairo_show_page(page);
            row(page, margin + line, cells, columns);
            y = margin + 2.5 * line;
        }
        row(page, y, cells + number * columns, columns);
    }
    cairo_show_page(page);
    cairo_destroy(page);
    cairo_surface_finish(surface);
    cairo_status_t status = cairo_surface_status(surface);
    cairo_surface_destroy(surface);
    return status == CAIRO_STATUS_SUCCESS ? 0 : cairo_status_to_string(status);
}
