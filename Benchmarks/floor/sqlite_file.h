/* What the SQLite programs share: a file of taskhost, opened as Sources/Systems/SQLite/FileConnection.swift opens it. */
#ifndef BENCH_SQLITE_FILE_H
#define BENCH_SQLITE_FILE_H
#include "link.h"

#include <sqlite3.h>

static sqlite3 *db;

static void run(const char *text) {
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) give_up("%s: %s", text, sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(const char *text) {
    sqlite3_stmt *made = NULL;
    if (sqlite3_prepare_v3(db, text, -1, SQLITE_PREPARE_PERSISTENT, &made, NULL) != SQLITE_OK)
        give_up("%s: %s", text, sqlite3_errmsg(db));
    return made;
}

static void open_file(const char *path) {
    if (sqlite3_open(path, &db) != SQLITE_OK) give_up("%s: %s", path, sqlite3_errmsg(db));
    sqlite3_busy_timeout(db, 10000);
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("PRAGMA wal_autocheckpoint = 0");
    run("PRAGMA journal_size_limit = 7340032");
}
#endif
