/* arena - one fixed block, and blocks of their own for what does not fit. */
#include "arena.h"

#include "text.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

struct block {
    struct block *next;
    alignas(max_align_t) char bytes[];
};

static alignas(max_align_t) char fixed[16 << 10];
static size_t used;
static struct block *blocks;

void *arena_take(size_t size) {
    size = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    if (size <= sizeof fixed - used) {
        used += size;
        return fixed + used - size;
    }
    struct block *block = malloc(sizeof *block + size);
    if (block == NULL) {
        out_of_memory(size);
    }
    block->next = blocks;
    blocks = block;
    return block->bytes;
}

char *arena_copy(const char *bytes, size_t length) {
    char *copy = arena_take(length + 1);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return copy;
}

void arena_reset(void) {
    used = 0;
    while (blocks != NULL) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}
