/* books - the tasks that look after the books: weekly report, prices, invoices. Informe, precios y facturas. */
#include "shop.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

static const char week[] = "SELECT product, count(*), sum(amount) FROM sales WHERE at > datetime('now', '-7 days') "
                           "GROUP BY product ORDER BY product";

/* The name of the report, a table of what was sold in the last seven days. */
static char *weekly_report(task_context *task) {
    struct shop shop;
    if (!shop_open(&shop, task)) {
        return NULL;
    }
    char name[64], stamp[32], path[4096], aside[4096];
    shop_stamp(stamp);
    snprintf(name, sizeof name, "week-%s.csv", stamp);
    shop_path(&shop, path, sizeof path, "reports", name);
    shop_path(&shop, aside, sizeof aside, "reports", task_id(task));
    FILE *file = fopen(aside, "we");
    sqlite3_stmt *rows = NULL;
    if (file == NULL || sqlite3_prepare_v2(shop.database, week, -1, &rows, NULL) != SQLITE_OK) {
        shop_fail(&shop, aside);
        return NULL;
    }
    fputs("product,sales,amount\n", file);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        fprintf(file, "%s,%lld,%.2f\n", (const char *)sqlite3_column_text(rows, 0),
                (long long)sqlite3_column_int64(rows, 1), sqlite3_column_double(rows, 2));
    }
    bool read = sqlite3_finalize(rows) == SQLITE_OK, full = ferror(file) != 0;
    if (fclose(file) != 0 || full || !read || rename(aside, path) != 0) {
        shop_fail(&shop, path);
        return NULL;
    }
    return shop_done(&shop) ? strdup(name) : NULL;
}
TASK_DEF_CTX(weekly_report, str_owned);
TASK_OPTIONS(weekly_report, .hard_limit = 60, .retry_backoff = 60, .doc = "What was sold in the last seven days.");
TASK_SCHEDULE(weekly_report, mondays, .cron = "0 9 * * mon", .timezone = "America/Argentina/Mendoza");

/* libcurl's way to hand over what arrives. */
static size_t keep_text(char *data, size_t size, size_t count, void *text) {
    return fwrite(data, size, count, text) * size;
}

/* What the server of prices says; NULL: the task has failed. To be freed. */
static char *fetched(task_context *task, const char *url) {
    char *text = NULL;
    size_t length;
    FILE *memory = open_memstream(&text, &length);
    CURL *request = curl_easy_init();
    curl_easy_setopt(request, CURLOPT_URL, url);
    curl_easy_setopt(request, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(request, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(request, CURLOPT_WRITEFUNCTION, keep_text);
    curl_easy_setopt(request, CURLOPT_WRITEDATA, memory);
    CURLcode status = curl_easy_perform(request);
    curl_easy_cleanup(request);
    fclose(memory);
    if (status != CURLE_OK) {
        free(text);
        task_fail(task, "ConnectionError", curl_easy_strerror(status));
        return NULL;
    }
    return text;
}

/* How many prices there are; {"tea": 3.5, …} becomes rows by SQLite itself. */
static int64_t synchronise(task_context *task) {
    const char *url = getenv("PRICES");
    if (url == NULL) {
        task_fail(task, "KeyError", "PRICES is not set: name it in [worker] environment");
        return 0;
    }
    char *prices = fetched(task, url);
    struct shop shop;
    int64_t count = 0;
    if (prices != NULL && shop_open(&shop, task) && shop_begin(&shop) &&
        shop_execute(&shop, "INSERT OR REPLACE INTO prices (product, price) SELECT key, value FROM json_each(?1)", prices,
                     NULL)) {
        count = sqlite3_changes(shop.database);
        count = shop_done(&shop) ? count : 0;
    }
    free(prices);
    return count;
}
TASK_DEF_CTX(synchronise, i64);
TASK_OPTIONS(synchronise, .hard_limit = 60, .retry_backoff = 5, .autoretry_for = "ConnectionError",
             .doc = "Takes over the prices of the server PRICES.");
TASK_SCHEDULE(synchronise, hourly, .cron = "0 * * * *", .timezone = "America/Argentina/Mendoza");

/* How many invoices are new. A month is billed once, however often it is asked for: (customer, month) is a key.
 * Un mes se factura una sola vez, por más que se pida: (cliente, mes) es la clave. */
static int64_t billing(task_context *task, const char *month) {
    struct shop shop;
    int64_t count = 0;
    if (shop_open(&shop, task) && shop_begin(&shop) &&
        shop_execute(&shop,
                     "INSERT OR IGNORE INTO invoices (customer, month, amount) "
                     "SELECT customer, strftime('%Y-%m', at), sum(amount) FROM sales WHERE strftime('%Y-%m', at) = "
                     "coalesce(?1, strftime('%Y-%m', 'now', 'start of month', '-1 day')) GROUP BY 1, 2",
                     month, NULL)) {
        count = sqlite3_changes(shop.database);
        count = shop_done(&shop) ? count : 0;
    }
    return count;
}
TASK_DEF_CTX(billing, i64, (str, month, null));
TASK_OPTIONS(billing, .hard_limit = 600, .doc = "Invoices of a month, \"2026-11\"; without one, of the last.");
/* None may be left out. No puede faltar ninguna. */
TASK_SCHEDULE(billing, monthly, .cron = "0 0 1 * *", .timezone = "America/Argentina/Mendoza", .missed = "all");

TASKHOST_BUNDLE("periodic", "1.0.0");
