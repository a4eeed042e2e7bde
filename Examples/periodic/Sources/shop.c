/* shop - see shop.h. */
#include "shop.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const int busy_milliseconds = 5000;

static void shut(struct shop *shop) {
    sqlite3_close(shop->database);
    shop->database = NULL;
}

void shop_fail(struct shop *shop, const char *what) {
    char message[512];
    snprintf(message, sizeof message, "%s: %s", what, sqlite3_errmsg(shop->database));
    shut(shop);
    task_fail(shop->task, "OSError", message);
}

bool shop_open(struct shop *shop, task_context *task) {
    *shop = (struct shop){.task = task, .folder = getenv("SHOP")};
    if (shop->folder == NULL) {
        task_fail(task, "KeyError", "SHOP is not set: name it in [worker] environment");
        return false;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/shop.db", shop->folder);
    if (sqlite3_open_v2(path, &shop->database, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        shop_fail(shop, path);
        return false;
    }
    sqlite3_busy_timeout(shop->database, busy_milliseconds);
    return true;
}

bool shop_begin(struct shop *shop) { return shop_execute(shop, "BEGIN IMMEDIATE", NULL, NULL); }

bool shop_execute(struct shop *shop, const char *sql, const char *first, const char *second) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(shop->database, sql, -1, &statement, NULL) != SQLITE_OK) {
        shop_fail(shop, sql);
        return false;
    }
    /* One without ?1 refuses to have it bound, which is no fault. */
    sqlite3_bind_text(statement, 1, first, -1, SQLITE_TRANSIENT);
    sqlite3_bind_text(statement, 2, second, -1, SQLITE_TRANSIENT);
    sqlite3_step(statement);
    if (sqlite3_finalize(statement) != SQLITE_OK) {
        shop_fail(shop, sql);
        return false;
    }
    return true;
}

bool shop_done(struct shop *shop) {
    const char *name = task_text(shop->task, TASKHOST_TEXT_NAME);
    if (!shop_execute(shop, "INSERT OR IGNORE INTO runs (id, task) VALUES (?1, ?2)", task_id(shop->task), name)) {
        return false;
    }
    if (!sqlite3_get_autocommit(shop->database) && !shop_execute(shop, "COMMIT", NULL, NULL)) {
        return false;
    }
    shut(shop);
    return true;
}

void shop_path(const struct shop *shop, char *path, size_t size, const char *kind, const char *name) {
    snprintf(path, size, "%s/%s/%s", shop->folder, kind, name);
}

void shop_stamp(char text[32]) {
    time_t now = time(NULL);
    struct tm parts;
    strftime(text, 32, "%Y%m%d-%H%M%S", gmtime_r(&now, &parts));
}
