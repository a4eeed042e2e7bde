/*
 * lane_claims - which runs a child has begun, and which the host has taken back before it could.
 *
 * The host writes several short runs to one child at once. The child claims each before it begins it; the host may
 * recall those that are not claimed yet and give them to another. Both act on shared memory, so exactly one of them
 * gets each run: see the two functions.
 */
#ifndef TASKHOST_LANE_CLAIMS_H
#define TASKHOST_LANE_CLAIMS_H
#include <stdbool.h>
#include <stdint.h>

struct lane_claims {
    uint64_t claim;    /* bits 0-47: the run claimed last; bits 48-63: counts recalls, modulo 65,536 */
    uint64_t recalled; /* no run up to this one is begun any more, unless it has been claimed before */
};

#define LANE_CLAIM_RUN ((UINT64_C(1) << 48) - 1)
#define LANE_CLAIM_RECALL (UINT64_C(1) << 48)
/* A child that changes the word all the time gets no further attention. */
#define LANE_RECALL_TRIES 1000

/* Child. False: the host has taken the run back; it must not begin.
 * `recalled` is read after `claim`: if the host has changed it in between, either we see that, or the exchange fails
 * because the recall counts in `claim`, too. */
static inline bool lane_claim(struct lane_claims *claims, uint64_t run) {
    uint64_t seen = __atomic_load_n(&claims->claim, __ATOMIC_SEQ_CST);
    for (;;) {
        if (run <= __atomic_load_n(&claims->recalled, __ATOMIC_SEQ_CST)) {
            /* The host may have claimed it for us, before it recalled what follows. */
            return (__atomic_load_n(&claims->claim, __ATOMIC_SEQ_CST) & LANE_CLAIM_RUN) == run;
        }
        uint64_t wanted = (seen & ~LANE_CLAIM_RUN) | (run & LANE_CLAIM_RUN);
        if (__atomic_compare_exchange_n(&claims->claim, &seen, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            return true;
        }
    }
}

/* Host. Takes back what was given after `first` up to and including `last`; `first` stays with the child, though it
 * may not have claimed it yet. Returns the run claimed last: those after it will not be begun. UINT64_MAX: none could
 * be taken back. */
static inline uint64_t lane_recall(struct lane_claims *claims, uint64_t first, uint64_t last) {
    uint64_t seen = __atomic_load_n(&claims->claim, __ATOMIC_SEQ_CST);
    int tries = LANE_RECALL_TRIES;
    while ((seen & LANE_CLAIM_RUN) < first) {
        uint64_t wanted = (seen & ~LANE_CLAIM_RUN) | (first & LANE_CLAIM_RUN);
        if (__atomic_compare_exchange_n(&claims->claim, &seen, wanted, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
            break;
        }
        if (--tries == 0) {
            return UINT64_MAX;
        }
    }
    __atomic_store_n(&claims->recalled, last, __ATOMIC_SEQ_CST);
    seen = __atomic_load_n(&claims->claim, __ATOMIC_SEQ_CST);
    while (!__atomic_compare_exchange_n(&claims->claim, &seen, seen + LANE_CLAIM_RECALL, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
        if (--tries == 0) {
            return UINT64_MAX;
        }
    }
    return seen & LANE_CLAIM_RUN;
}
#endif
