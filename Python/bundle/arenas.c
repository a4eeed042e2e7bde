/* arenas - memory of Python's objects in huge pages, as far as the zygote allocates it: a fork then copies one entry of the
 * table of pages in place of 512, and an import faults as much less often. Children copy what they write to in small
 * pages as ever, and what they allocate themselves is of small pages, too. */
#define _GNU_SOURCE
#include "arenas.h"

#include "python_api.h"

#include <stdint.h>
#include <sys/mman.h>

enum { HUGE = 2 << 20 };

/* PyObjectArenaAllocator: the same since CPython 3.4. */
struct allocator {
    void *context;
    void *(*allocate)(void *context, size_t size);
    void (*release)(void *context, void *arena, size_t size);
};

static char *next, *end;
static bool in_zygote = true;

static void *map(size_t size) {
    void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return found == MAP_FAILED ? NULL : found;
}

/* One huge page, at an address that is a multiple of it. */
static bool map_huge(void) {
    char *found = map(2 * HUGE);
    if (found == NULL) {
        return false;
    }
    next = (char *)(((uintptr_t)found + HUGE - 1) & -(uintptr_t)HUGE);
    end = next + HUGE;
    if (next > found) {
        munmap(found, (size_t)(next - found));
    }
    if (found + 2 * HUGE > end) {
        munmap(end, (size_t)(found + 2 * HUGE - end));
    }
    madvise(next, HUGE, MADV_HUGEPAGE); /* a kernel without them gives small ones */
    return true;
}

static void *allocate(void *context, size_t size) {
    (void)context;
    if ((size_t)(end - next) < size && (!in_zygote || size > HUGE || !map_huge())) {
        return map(size);
    }
    char *arena = next;
    next += size;
    return arena;
}

static void release(void *context, void *arena, size_t size) {
    (void)context;
    munmap(arena, size);
}

void arenas_prepare(void) {
    static struct allocator ours = {NULL, allocate, release};
    if (py.set_arena_allocator != NULL) {
        py.set_arena_allocator(&ours);
    }
}

void arenas_are_made(void) { in_zygote = false; }
