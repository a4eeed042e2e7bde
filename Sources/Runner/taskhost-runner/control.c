/* control - datagrams, with descriptors on the way in. A full socket makes us wait: the host always drains it. */
#define _GNU_SOURCE
#include "control.h"

#include "private_fd.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RECORDS_PER_DATAGRAM = RUNNER_CONTROL_MAX / sizeof(struct control_record) };

static int control_socket = -1;
static struct control_record gathered[RECORDS_PER_DATAGRAM];
static size_t gathered_count;
static struct control_record received[RECORDS_PER_DATAGRAM];
static int received_fds[CONTROL_MAX_FDS];

int control_open(void) {
    control_socket = private_fd(RUNNER_CONTROL_FD);
    if (control_socket >= 0) {
        /* The number stays taken, or the bundle might open something there and children lose it to their data. */
        dup2(STDIN_FILENO, RUNNER_CONTROL_FD);
    }
    return control_socket;
}

int control_descriptor(void) {
    return control_socket;
}

static size_t take_descriptors(struct msghdr *header) {
    size_t count = 0;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL; part = CMSG_NXTHDR(header, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t in_part = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < in_part && count < CONTROL_MAX_FDS; index++) {
            int fd;
            memcpy(&fd, CMSG_DATA(part) + index * sizeof fd, sizeof fd);
            received_fds[count++] = private_fd(fd); /* -1: no number left above the base */
        }
    }
    return count;
}

enum control_state control_receive(struct control_message *message) {
    static _Alignas(struct cmsghdr) char ancillary[CMSG_SPACE(CONTROL_MAX_FDS * sizeof(int))];
    struct iovec piece = {received, sizeof received};
    struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = ancillary};
    header.msg_controllen = sizeof ancillary;
    ssize_t length;
    do {
        length = recvmsg(control_socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    } while (length < 0 && errno == EINTR);
    if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return CONTROL_EMPTY;
    }
    if (length <= 0) {
        return CONTROL_CLOSED;
    }
    message->records = received;
    message->count = (size_t)length / sizeof *received;
    message->fds = received_fds;
    message->fd_count = take_descriptors(&header);
    return CONTROL_MESSAGE;
}

static void send_datagram(struct iovec *pieces, size_t count) {
    struct msghdr header = {.msg_iov = pieces, .msg_iovlen = count};
    ssize_t sent;
    do {
        sent = sendmsg(control_socket, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    /* A host that is gone shows as end of file on the next receive, which kills everything. */
}

void control_flush(void) {
    if (gathered_count > 0) {
        struct iovec piece = {gathered, gathered_count * sizeof *gathered};
        gathered_count = 0;
        send_datagram(&piece, 1);
    }
}

void control_send(struct control_record record) {
    gathered[gathered_count++] = record;
    if (gathered_count == RECORDS_PER_DATAGRAM) {
        control_flush();
    }
}

void control_send_text(struct control_record record, const char *text, size_t length) {
    size_t most = RUNNER_CONTROL_MAX - sizeof record;
    record.text_length = (uint32_t)(length < most ? length : most);
    control_flush();
    struct iovec pieces[] = {{&record, sizeof record}, {(void *)text, record.text_length}};
    send_datagram(pieces, 2);
}

void control_log(enum runner_level level, const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0) {
        size_t shown = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
        control_send_text((struct control_record){.type = RUNNER_ZYGOTE_LOG, .status = level}, line, shown);
    }
}
