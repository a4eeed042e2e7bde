/* pdf.h - a table as a PDF file, by cairo. Una tabla en un archivo PDF. */
#pragma once

/* Writes a PDF of A4 pages to the file PATH: the title, a line below it, then the cells, row by row, `columns` in each; the
 * first row is the heading. All texts are UTF-8. NULL: done; else what went wrong. / NULL: hecho; si no, qué falló. */
const char *report_pdf(const char *path, const char *title, const char *subtitle, const char *const *cells, int rows,
                       int columns);
