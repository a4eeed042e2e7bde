/* shop.h - the shop's folder and database, as the tasks see them. La carpeta y la base de datos de la tienda. */
#ifndef SHOP_H
#define SHOP_H
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <taskhost.h>

struct shop {
    task_context *task;
    const char *folder; /* SHOP, which the worker passes on because taskhost.toml says so */
    sqlite3 *database;
};

/* Opens shop.db. false: the task has failed; return. */
bool shop_open(struct shop *shop, task_context *task);
/* From here to shop_done all or nothing is written. Desde aquí hasta shop_done, todo o nada. */
bool shop_begin(struct shop *shop);
/* Notes that the task ran, commits, closes; false: the task has failed. A run that comes twice has the same id and is noted
 * once. / Anota la ejecución; la que llega dos veces tiene el mismo id y se anota una sola vez. */
bool shop_done(struct shop *shop);
/* Undoes what was begun, closes, and fails the task. */
void shop_fail(struct shop *shop, const char *what);

/* One statement that gives no rows; each of its ?1, ?2 … (text may be NULL). false: the task has failed. */
bool shop_execute(struct shop *shop, const char *sql, const char *first, const char *second);
/* FOLDER/kind/name; `size` bytes at `path`. */
void shop_path(const struct shop *shop, char *path, size_t size, const char *kind, const char *name);
/* "20261130-021500", UTC. */
void shop_stamp(char text[32]);

#endif
