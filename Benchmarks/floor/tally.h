/* Counting finished tasks without disturbing them: one file, mapped by whoever runs tasks and by the measuring program.
 * A counter belongs to one process and to all it forks afterwards, so that a zygote's short-lived children share one.
 * Tasks that are told to note when they started (stamps), or from when to when they slept (spans). */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define TALLY_COUNTERS 256
#define TALLY_STAMPS 65536
#define TALLY_SPANS 65536

typedef struct {
    _Alignas(64) uint64_t count;
    uint64_t first, last; /* CLOCK_MONOTONIC, nanoseconds */
} tally_counter;

typedef struct {
    _Alignas(64) uint64_t used;
    tally_counter counters[TALLY_COUNTERS];
    uint64_t stamps[TALLY_STAMPS]; /* CLOCK_MONOTONIC, nanoseconds */
    uint64_t spans_used;
    uint64_t spans[TALLY_SPANS][2];
} tally_sheet;

static tally_sheet *tally_all;
static tally_counter *tally_mine;

static inline uint64_t tally_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Takes a counter of the sheet; false when the file isn't one. */
static inline bool tally_take(const char *path) {
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0) return false;
    void *at = mmap(NULL, sizeof(tally_sheet), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at == MAP_FAILED) return false;
    tally_sheet *sheet = at;
    uint64_t place = __atomic_fetch_add(&sheet->used, 1, __ATOMIC_RELAXED);
    if (place >= TALLY_COUNTERS) return false;
    tally_all = sheet;
    tally_mine = &sheet->counters[place];
    return true;
}

static inline void tally_stamp(uint64_t number) {
    if (tally_all != NULL && number < TALLY_STAMPS) tally_all->stamps[number] = tally_now();
}

/* Sleeps, and notes from when to when. */
static inline void tally_nap(uint64_t nanoseconds) {
    uint64_t from = tally_now();
    struct timespec left = {(time_t)(nanoseconds / 1000000000u), (long)(nanoseconds % 1000000000u)};
    while (nanosleep(&left, &left) != 0) {}
    if (tally_all == NULL) return;
    uint64_t place = __atomic_fetch_add(&tally_all->spans_used, 1, __ATOMIC_RELAXED);
    if (place >= TALLY_SPANS) return;
    tally_all->spans[place][0] = from;
    tally_all->spans[place][1] = tally_now();
}

/* One task is done. Siblings may write at once: the times may be off by the length of one task, the count never. */
static inline void tally_done(void) {
    if (tally_mine == NULL) return;
    uint64_t now = tally_now();
    if (__atomic_fetch_add(&tally_mine->count, 1, __ATOMIC_RELAXED) == 0)
        __atomic_store_n(&tally_mine->first, now, __ATOMIC_RELAXED);
    __atomic_store_n(&tally_mine->last, now, __ATOMIC_RELAXED);
}
#endif
