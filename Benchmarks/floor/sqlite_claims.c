/* sqlite-claims FILE QUEUE SECONDS - how long a claim takes beside the hosts of a file: every 10 ms one message of QUEUE, which
 * nobody serves, is claimed and given back by the next claim, in the way of hosts (Sources/Systems/SQLite: WriteTurn, TurnQueue,
 * FileConnection): first the turn, then SQLite's lock, then the disk. Prints the times in microseconds, one a line. */
#include "sqlite_file.h"
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

enum { LOOKS = 2100, QUICK_LOOKS = 100 };

/* Who is next in turn waits for SQLite's lock. */
static int nap(void *nothing, int look) {
    (void)nothing;
    usleep(look < QUICK_LOOKS ? 150 : 5000);
    return look < LOOKS;
}

int main(int count, char **words) {
    if (count != 4) give_up("usage: sqlite-claims FILE QUEUE SECONDS");
    open_file(words[1]);
    sqlite3_busy_handler(db, nap, NULL);
    char name[4096];
    snprintf(name, sizeof name, "%s-wake", words[1]);
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) give_up("%s: %m", name);
    sqlite3_stmt *claim = prepare("UPDATE message SET state = 2 - state WHERE id = "
                                  "(SELECT id FROM message WHERE queue = ? AND state IN (0, 2) LIMIT 1)");
    setlinebuf(stdout); /* it may be ended earlier */
    sqlite3_bind_text(claim, 1, words[2], -1, SQLITE_STATIC);
    for (uint64_t end = tally_now() + (uint64_t)atoi(words[3]) * 1000000000u; tally_now() < end; usleep(10000)) {
        uint64_t began = tally_now();
        if (flock(file, LOCK_EX) != 0) give_up("no turn: %m");
        run("BEGIN IMMEDIATE");
        flock(file, LOCK_UN);
        if (sqlite3_step(claim) != SQLITE_DONE || sqlite3_changes(db) != 1) give_up("no claim: %s", sqlite3_errmsg(db));
        sqlite3_reset(claim);
        run("COMMIT");
        printf("%llu\n", (unsigned long long)(tally_now() - began) / 1000u);
    }
    return 0;
}
