/* frames - the child's side of the data socket. */
#ifndef RUNNER_FRAMES_H
#define RUNNER_FRAMES_H
#include "runner_protocol.h"

#include <stddef.h>

/* Waits for the next frame; its payload stays valid until the next call and is followed by no terminator.
 * The bytes from *frame_start on (header and payload) may be overwritten. Leaves the process with status 0 when the
 * host has closed the socket, with EX_PROTOCOL and a line on stderr when it spoke nonsense. */
struct frame_header frame_read(char **frame_start);

/* Sends one frame of up to two pieces; any thread. Leaves the process when the host is gone. */
void frame_send(enum runner_frame type, uint16_t code, uint64_t sequence, const void *first, size_t first_length,
                const void *second, size_t second_length);

enum { EXIT_PROTOCOL = 76 /* EX_PROTOCOL */ };
#endif
