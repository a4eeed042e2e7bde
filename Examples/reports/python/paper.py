"""A table as a PDF file, by reportlab. Una tabla en un archivo PDF."""
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

MARGIN, LINE = 56, 18  # points, 72 in an inch / puntos


def draw_pdf(path, title, subtitle, rows):
    """The title, a line below it, then the rows, of which the first is the heading, on every page. / El encabezado, en cada
    página."""
    width, height = A4
    page = Canvas(path, pagesize=A4)
    page.setTitle(title)

    def row(y, cells):
        page.setFont("Helvetica", 11)
        for place, cell in enumerate(cells):
            page.drawString(MARGIN + place * (width - 2 * MARGIN) / len(rows[0]), y, cell)

    page.setFont("Helvetica", 20)
    page.drawString(MARGIN, height - MARGIN - LINE, title)
    row(height - MARGIN - 2.5 * LINE, [subtitle])
    y = height - MARGIN - 4.5 * LINE
    for cells in rows:
        if y < MARGIN:
            page.showPage()
            row(height - MARGIN - LINE, rows[0])
            y = height - MARGIN - 2.5 * LINE
        row(y, cells)
        y -= LINE
    page.save()
