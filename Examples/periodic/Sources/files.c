/* files - the tasks that look after files: clean-up and backup. Limpieza y copia de seguridad. */
#include "shop.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Removes what nobody has changed for `older_than` seconds; how many files that were. */
static int64_t clean_cache(task_context *task, double older_than) {
    struct shop shop;
    if (!shop_open(&shop, task)) {
        return 0;
    }
    char path[4096];
    shop_path(&shop, path, sizeof path, "cache", "");
    DIR *folder = opendir(path);
    int64_t removed = 0;
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        struct stat status;
        shop_path(&shop, path, sizeof path, "cache", entry->d_name);
        if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && difftime(time(NULL), status.st_mtime) > older_than &&
            unlink(path) == 0) {
            removed++;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    return shop_done(&shop) ? removed : 0;
}
TASK_DEF_CTX(clean_cache, i64, (f64, older_than, 3600.0));
TASK_OPTIONS(clean_cache, .hard_limit = 20, .doc = "Removes old files of the cache.");
/* One that is late is of no use any more: the next comes soon. Una limpieza atrasada no sirve: pronto viene otra. */
TASK_SCHEDULE(clean_cache, cleaning, .every = 30, .missed = "skip", .expires = 30);

static int newest_first(const struct dirent **left, const struct dirent **right) { return alphasort(right, left); }
static int is_backup(const struct dirent *entry) { return strncmp(entry->d_name, "shop-", 5) == 0; }

/* Keeps the newest `keep`; their names begin with the time. */
static void forget_old(const struct shop *shop, int64_t keep) {
    char path[4096];
    struct dirent **entries;
    shop_path(shop, path, sizeof path, "backups", "");
    int count = scandir(path, &entries, is_backup, newest_first);
    for (int index = 0; index < count; index++) {
        shop_path(shop, path, sizeof path, "backups", entries[index]->d_name);
        if (index >= keep) {
            unlink(path);
        }
        free(entries[index]);
    }
    if (count >= 0) {
        free(entries);
    }
}

/* SQLite's own online backup: others may go on reading and writing. La copia en línea de SQLite. */
static bool copied(sqlite3 *from, const char *path) {
    sqlite3 *to;
    bool done = false;
    if (sqlite3_open(path, &to) == SQLITE_OK) {
        sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
        done = backup != NULL && sqlite3_backup_step(backup, -1) == SQLITE_DONE;
        done = sqlite3_backup_finish(backup) == SQLITE_OK && done;
    }
    return sqlite3_close(to) == SQLITE_OK && done;
}

/* The name of the copy, which is whole or not there. */
static char *backup(task_context *task, int64_t keep) {
    struct shop shop;
    if (!shop_open(&shop, task)) {
        return NULL;
    }
    char name[64], stamp[32], path[4096], aside[4096];
    shop_stamp(stamp);
    snprintf(name, sizeof name, "shop-%s.db", stamp);
    shop_path(&shop, path, sizeof path, "backups", name);
    shop_path(&shop, aside, sizeof aside, "backups", task_id(task));
    if (!copied(shop.database, aside) || rename(aside, path) != 0) {
        unlink(aside);
        shop_fail(&shop, path);
        return NULL;
    }
    forget_old(&shop, keep);
    return shop_done(&shop) ? strdup(name) : NULL;
}
TASK_DEF_CTX(backup, str_owned, (i64, keep, 7));
TASK_OPTIONS(backup, .hard_limit = 600, .doc = "Copies the database, and keeps the newest copies.");
/* However many were missed, one copy is enough. Por muchas que falten, una copia alcanza. */
TASK_SCHEDULE(backup, nightly, .cron = "0 2 * * *", .timezone = "America/Argentina/Mendoza", .missed = "once");
