"""Makes the database of a small shop, with two months of data up to today. La base de datos de una tienda.

    data.py FILE
"""
import datetime
import sqlite3
import sys

PRODUCTS = {"libros": 1250, "lápices": 90, "mates": 4300}

today = datetime.date.today()
days = [(today - datetime.timedelta(days=back)).isoformat() for back in range(70)]
with sqlite3.connect(sys.argv[1]) as database:
    database.executescript("""
        CREATE TABLE sales (day TEXT, product TEXT, units INTEGER, cents INTEGER);
        CREATE TABLE logins (day TEXT, user TEXT);
        CREATE TABLE ledger (day TEXT, account TEXT, cents INTEGER);
    """)
    for number, day in enumerate(days):
        for place, (product, cents) in enumerate(PRODUCTS.items()):
            units = 1 + (number * 7 + place * 3) % 11
            database.execute("INSERT INTO sales VALUES (?, ?, ?, ?)", (day, product, units, cents))
            database.execute("INSERT INTO ledger VALUES (?, 'ventas', ?)", (day, units * cents))
        database.execute("INSERT INTO ledger VALUES (?, 'gastos', ?)", (day, -100 * (50 + number % 20)))
        database.executemany("INSERT INTO logins VALUES (?, ?)", [(day, f"user{user}") for user in range(5 + number % 4)])
