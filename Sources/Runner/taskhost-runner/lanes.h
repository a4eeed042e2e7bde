/* lanes - the places for children, and who is in them. */
#ifndef RUNNER_LANES_H
#define RUNNER_LANES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

enum lane_state {
    LANE_EMPTY,
    LANE_SERVING, /* a child lives */
    LANE_ENDED,   /* the child is reaped; its tree is being swept */
};

struct lane {
    uint32_t number;
    enum lane_state state;
    bool closing; /* gone for the host; stays until the tree is */
    bool page_used; /* the crash page may hold an earlier child's last words */
    int data, output, page;
    int pid;
    int status; /* wait status */
    struct rusage usage;
    uint32_t swept;
    double ended_at; /* monotonic seconds */
    bool complained; /* about a tree that does not die */
};

extern struct lane *lanes;
extern size_t lane_count;

/* NULL: no such lane, or it is closing. */
struct lane *lane_numbered(uint32_t number);
struct lane *lane_of_child(int pid);
/* Takes the descriptors over. */
void lane_open(uint32_t number, int data, int output, int page);
/* Kills the child, if any; the lane goes when its tree is gone. Pointers to lanes are invalid afterwards. */
void lane_close(struct lane *lane);
/* 0, or errno. */
int lane_fork(struct lane *lane, uint64_t lowest_sequence);
/* Child and process group; the rest of the tree follows when the child is reaped. */
void lane_kill(const struct lane *lane);
/* The child is dead and reaped. */
void lane_ended(struct lane *lane, int status, const struct rusage *usage);
/* Tells the host about every ended lane; for when nothing of their trees is left. */
void lanes_report_ended(void);
bool lanes_any(enum lane_state state);
#endif
