/* source.h - where the data come from: a SQLite database of products. De dónde vienen los datos. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <taskhost.h>

enum { CATEGORY_SIZE = 32 };

/* One category of products, reckoned up; version grows with each change of its products. / Una categoría, calculada. */
struct summary {
    long long version, products, cheapest, median, dearest;
};

/* NULL: the task has failed. */
sqlite3 *source_open(task_context *task);
/* False: the task has failed, with a KeyError if there is no such category. */
bool source_summary(task_context *task, sqlite3 *source, const char *category, struct summary *summary);
/* Calls `each` with every category and its version until it returns false. False: the task has failed. */
bool source_each(task_context *task, sqlite3 *source, bool (*each)(void *user, const char *category, long long version),
                 void *user);
