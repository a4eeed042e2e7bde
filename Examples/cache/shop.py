"""Makes the database of a shop: products by category, and a version of each category that grows with every change.

    shop.py FILE

La base de datos de una tienda; cada cambio aumenta la versión de su categoría.
"""
import sqlite3
import sys

CATEGORIES = ["books", "chairs", "lamps", "pencils", "tables", "teapots"]

with sqlite3.connect(sys.argv[1]) as database:
    database.executescript("""
        CREATE TABLE products (category TEXT, cents INTEGER);
        CREATE INDEX by_price ON products (category, cents);
        CREATE TABLE versions (category TEXT PRIMARY KEY, version INTEGER);
        CREATE TRIGGER changed AFTER UPDATE ON products
            BEGIN UPDATE versions SET version = version + 1 WHERE category = new.category; END;
    """)
    for place, category in enumerate(CATEGORIES, 1):
        database.execute("INSERT INTO versions VALUES (?, 1)", (category,))
        database.executemany("INSERT INTO products VALUES (?, ?)", [(category, place * 100 + n) for n in range(1000)])
