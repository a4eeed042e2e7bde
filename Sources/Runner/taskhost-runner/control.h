/* control - the zygote's side of the control socket. */
#ifndef RUNNER_CONTROL_H
#define RUNNER_CONTROL_H
#include "runner_protocol.h"

#include <stdbool.h>
#include <stddef.h>

enum { CONTROL_MAX_FDS = 252 /* the kernel's bound per datagram is 253; lanes take three each */ };

/* One datagram from the host. */
struct control_message {
    const struct control_record *records;
    size_t count;
    int *fds;
    size_t fd_count;
};

enum control_state { CONTROL_MESSAGE, CONTROL_EMPTY, CONTROL_CLOSED };

/* Moves the socket to a private descriptor; its number. */
int control_open(void);
int control_descriptor(void);
/* Doesn't wait. The message is valid until the next call. Its descriptors are private (>= RUNNER_PRIVATE_FD_BASE),
 * or -1 where there are too few. */
enum control_state control_receive(struct control_message *message);

/* Gathered until control_flush. */
void control_send(struct control_record record);
/* Texts go out at once, after what was gathered before. Longer ones than a datagram holds are cut. */
void control_send_text(struct control_record record, const char *text, size_t length);
__attribute__((format(printf, 2, 3))) void control_log(enum runner_level level, const char *format, ...);
void control_flush(void);
#endif
