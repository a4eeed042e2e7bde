/* source.c - where the data come from: a SQLite database of products. De dónde vienen los datos. */
#include "source.h"

#include <stdlib.h>

sqlite3 *source_open(task_context *task) {
    const char *path = getenv("SOURCE");
    sqlite3 *source = NULL;
    if (!path) {
        task_fail(task, "ValueError", "SOURCE is not set: see README.md");
    } else if (sqlite3_open_v2(path, &source, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        task_fail(task, "OSError", source ? sqlite3_errmsg(source) : "no memory");
        sqlite3_close(source);
        source = NULL;
    } else {
        sqlite3_busy_timeout(source, 5000);
    }
    return source;
}

static sqlite3_stmt *prepare(task_context *task, sqlite3 *source, const char *sql) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(source, sql, -1, &statement, NULL) != SQLITE_OK) {
        task_fail(task, "RuntimeError", sqlite3_errmsg(source));
    }
    return statement;
}

bool source_summary(task_context *task, sqlite3 *source, const char *category, struct summary *summary) {
    /* One statement is one state of the database: figures and version belong together. Una sola foto de la base. */
    sqlite3_stmt *statement = prepare(task, source,
        "SELECT v.version, count(p.cents), min(p.cents), max(p.cents), (SELECT cents FROM products WHERE category = ?1"
        " ORDER BY cents LIMIT 1 OFFSET (SELECT count(*) FROM products WHERE category = ?1) / 2)"
        " FROM versions v LEFT JOIN products p ON p.category = v.category WHERE v.category = ?1 GROUP BY v.version");
    if (!statement) {
        return false;
    }
    sqlite3_bind_text(statement, 1, category, -1, SQLITE_STATIC);
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        *summary = (struct summary){
            .version = sqlite3_column_int64(statement, 0),
            .products = sqlite3_column_int64(statement, 1),
            .cheapest = sqlite3_column_int64(statement, 2),
            .dearest = sqlite3_column_int64(statement, 3),
            .median = sqlite3_column_int64(statement, 4),
        };
    } else if (step == SQLITE_DONE) {
        task_fail(task, "KeyError", category);
    } else {
        task_fail(task, "RuntimeError", sqlite3_errmsg(source));
    }
    sqlite3_finalize(statement);
    return step == SQLITE_ROW;
}

bool source_each(task_context *task, sqlite3 *source, bool (*each)(void *user, const char *category, long long version),
                 void *user) {
    sqlite3_stmt *statement = prepare(task, source, "SELECT category, version FROM versions ORDER BY category");
    if (!statement) {
        return false;
    }
    int step;
    bool goes_on = true;
    while (goes_on && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        goes_on = each(user, (const char *)sqlite3_column_text(statement, 0), sqlite3_column_int64(statement, 1));
    }
    if (goes_on && step != SQLITE_DONE) {
        task_fail(task, "RuntimeError", sqlite3_errmsg(source));
        goes_on = false;
    }
    sqlite3_finalize(statement);
    return goes_on;
}
