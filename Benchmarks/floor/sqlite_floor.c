/* sqlite-floor FILE QUEUE TALLY BATCH - what SQLite itself costs: claims messages of a file of taskhost and deletes them, a
 * batch of deletions and the next batch of claims in one transaction that waits for the disk, as a host does it. No children.
 * Ends when the queue is empty. */
#include "link.h"
#include "sqlite_file.h"
#include "tally.h"

#include <stdlib.h>

#define CHECKPOINT_PAGES 1500 /* as Sources/Systems/SQLite/Checkpoints.swift */

static int pages_in_log;

static int committed(void *nothing, sqlite3 *where, const char *name, int pages) {
    (void)nothing, (void)where, (void)name;
    pages_in_log = pages;
    return SQLITE_OK;
}

static void run_for(sqlite3_stmt *statement, int64_t id) {
    sqlite3_bind_int64(statement, 1, id);
    if (sqlite3_step(statement) != SQLITE_DONE) give_up("%s", sqlite3_errmsg(db));
    sqlite3_reset(statement);
}

/* Reads the columns a host reads. */
static int claim(sqlite3_stmt *look, sqlite3_stmt *hold, const char *queue, int batch, int64_t *ids) {
    int count = 0, status;
    sqlite3_bind_text(look, 1, queue, -1, SQLITE_STATIC);
    sqlite3_bind_int(look, 2, batch);
    while ((status = sqlite3_step(look)) == SQLITE_ROW) {
        ids[count++] = sqlite3_column_int64(look, 0);
        for (int column = 1; column < 7; column++)
            if (sqlite3_column_bytes(look, column) < 0) give_up("a column without a size");
    }
    if (status != SQLITE_DONE) give_up("%s", sqlite3_errmsg(db));
    sqlite3_reset(look);
    for (int i = 0; i < count; i++) run_for(hold, ids[i]);
    return count;
}

int main(int count, char **words) {
    if (count != 5 || atoi(words[4]) < 1) give_up("usage: sqlite-floor FILE QUEUE TALLY BATCH");
    const int batch = atoi(words[4]);
    int64_t *ids = calloc((size_t)batch, sizeof *ids);
    if (ids == NULL || !tally_take(words[3])) give_up("no tally: %s", words[3]);
    open_file(words[1]);
    sqlite3_wal_hook(db, committed, NULL);
    sqlite3_stmt *look = prepare("SELECT id, deliveries, lost_starts, name, properties, headers, body FROM message "
                                 "WHERE state = 0 AND queue = ? ORDER BY priority DESC, id LIMIT ?");
    sqlite3_stmt *hold = prepare("UPDATE message SET state = 2, host = 1, deliveries = deliveries + 1 WHERE id = ?");
    sqlite3_stmt *drop = prepare("DELETE FROM message WHERE id = ? AND host = 1 AND state = 2");
    int held = 0;
    do {
        run("BEGIN IMMEDIATE");
        for (int i = 0; i < held; i++) run_for(drop, ids[i]);
        int done = held;
        held = claim(look, hold, words[2], batch, ids);
        run("COMMIT");
        for (int i = 0; i < done; i++) tally_done();
        if (pages_in_log >= CHECKPOINT_PAGES) {
            run("PRAGMA wal_checkpoint(PASSIVE)");
            pages_in_log = 0;
        }
    } while (held > 0);
    return 0;
}
