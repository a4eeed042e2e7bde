/*
 * runner_protocol - what the host, a zygote and its children say to each other.
 *
 * Same machine, same build: native layouts, native byte order. Nothing here
 * leaves the machine or survives a restart.
 *
 *   host  <-- control socket (AF_UNIX, SOCK_SEQPACKET) -->  zygote
 *   host  <-- data socket of a lane (AF_UNIX, SOCK_STREAM) --> the lane's child
 *   host  <-- output pipe of a lane                        <-- stdout and stderr of the lane's child and its tree
 *   host, zygote and child share one crash page (memfd) per lane
 *
 * A LANE is a place for one child at a time: the host makes the three objects
 * once, hands the far ends to the zygote, and each child forked for the lane
 * inherits them. So a fork costs no descriptor passing. A lane whose child
 * ended with frames unread or half read is closed, never reused.
 */
#ifndef TASKHOST_RUNNER_PROTOCOL_H
#define TASKHOST_RUNNER_PROTOCOL_H
#include "lane_claims.h"

#include <stdint.h>

/* The zygote finds its control socket here when it starts. */
#define RUNNER_CONTROL_FD 3
/* The host passes the bundle's sealed copy here; the zygote loads it by this path, and closes it. */
#define RUNNER_BUNDLE_FD 4
#define RUNNER_BUNDLE_PATH "/proc/self/fd/4"
/* A zygote that is started before its host knows all it must: a socket by which the bundle and the host's program speak
 * while it loads (EarlyZygote.swift). What is said there is theirs. */
#define RUNNER_TALK_FD 5
/* Its exit status when the system has no room for it (EX_OSERR). */
#define RUNNER_EXIT_SYSTEM 71
/* A child has its lane's data socket here. */
#define RUNNER_DATA_FD 3
/* The zygote keeps its own descriptors at or above this number, so that a child
 * closes them in one call and keeps what the bundle opened while loading. */
#define RUNNER_PRIVATE_FD_BASE 512
/* Longest control datagram, bytes. Longer texts come in parts. */
#define RUNNER_CONTROL_MAX 65536u
/* A frame longer than this is a protocol violation. */
#define RUNNER_FRAME_MAX (64u << 20)
#define RUNNER_MAX_FRAMES 64u
/* The size of a crash page's file; from where on it holds what the bundle's own handler of a fatal signal has written:
 * lines, zero after them. */
#define RUNNER_CRASH_PAGE 16384
#define RUNNER_CRASH_TEXT_AT 4096

/* ---- control socket: a datagram is one or more control_record, or one
 * control_record followed by `text_length` bytes of text. ---- */

enum runner_control {
    /* host -> zygote */
    RUNNER_LANE_OPEN = 1,  /* lane; fds by SCM_RIGHTS: data socket, output pipe (write end), crash page */
    RUNNER_LANE_CLOSE = 2, /* lane; its child, if any, is killed first */
    RUNNER_FORK = 3,       /* lane; sequence = lowest task sequence the child may run */
    RUNNER_KILL = 4,       /* lane; pid (0: whichever is there); the whole tree, SIGKILL */
    RUNNER_SOFT = 5,       /* lane; sequence: queued SIGRTMIN+1 carrying its low 32 bits */
    RUNNER_RETIRE = 6,     /* exit when no child is left */
    RUNNER_SIGNAL = 7,     /* lane; status = signal number, to the child's process group */
    RUNNER_PING = 8,       /* answered by RUNNER_PONG */
    RUNNER_SWEEP = 9,      /* look for processes that left a living child's tree, and kill them */

    /* zygote -> host */
    RUNNER_LOADING = 64,      /* about to dlopen; text = path: on death now, this file is to blame */
    RUNNER_MANIFEST_PART = 65,/* text = a piece of the manifest (JSON), in order */
    RUNNER_READY = 66,        /* loaded and registered; manifest is complete; pid */
    RUNNER_REFUSED = 67,      /* text = sentence for the operator; the zygote exits with 2 */
    RUNNER_FORKED = 68,       /* lane, pid */
    RUNNER_FORK_FAILED = 69,  /* lane, status = errno */
    RUNNER_EXITED = 70,       /* lane, pid, status = wait status, usage; swept = processes of its tree killed after it.
                                 Sent when nothing of the tree is left. */
    RUNNER_CRASH = 71,        /* lane, pid; text = one line per frame: "ADDRESS OFFSET MODULE-PATH"; precedes RUNNER_EXITED */
    RUNNER_ZYGOTE_LOG = 72,   /* status = level (see enum runner_level); text = line */
    RUNNER_PONG = 73,
    RUNNER_LANE_FAILED = 74,  /* lane, status = errno: it cannot be taken, and is closed */
};

struct control_record {
    uint32_t type; /* enum runner_control */
    uint32_t lane;
    int32_t pid;
    int32_t status;
    uint64_t sequence;
    uint64_t user_us;     /* RUNNER_EXITED: rusage of the child and what it waited for */
    uint64_t system_us;
    uint64_t max_rss_kib;
    uint32_t swept;
    uint32_t text_length; /* bytes of text after this record; then it is the datagram's only record */
    uint64_t reserved;
};

/* ---- data socket: frames back to back ---- */

enum runner_frame {
    /* host -> child */
    FRAME_TASK = 1, /* payload: struct task_request and its texts */
    FRAME_EXIT = 2, /* leave with status 0 (end of a kept child's service) */
    /* child -> host; all but FRAME_RESULT may come any number of times while the task runs */
    FRAME_RESULT = 16, /* code = enum runner_result; payload: struct result_usage, then the result's JSON */
    FRAME_STATE = 17,  /* payload: JSON {"state": text, "meta": any} */
    FRAME_LOG = 18,    /* code = enum runner_level; payload: UTF-8 text, one message */
    FRAME_SEND = 19,   /* code = enum runner_send; payload: JSON, as the code says */
};

/* What FRAME_SEND asks for. */
enum runner_send {
    SEND_TASK = 0,     /* {"id": text, "signature": object}: publish it */
    SEND_TO_CHORD = 1, /* the same: publish it as one member more of the chord this task is part of */
    SEND_MESSAGE = 2,  /* a message that is complete (taskhost_host.publish) */
    SEND_CHILDREN = 3, /* array of result tuples: what the task has called by such messages */
};

/* What a task came to; the JSON that goes with it. */
enum runner_result {
    RESULT_SUCCESS = 0, /* the value */
    RESULT_FAILURE = 1, /* {"exc_type": text, "exc_module": text, "exc_message": [any...], "traceback": text|null} */
    RESULT_RETRY = 2,   /* {"countdown": seconds|null, "max_retries": int|null (absent: the task's own),
                            "exc": failure object|null, "args": array|absent, "kwargs": object|absent,
                            "expires": seconds from now|absent, "queue": text|absent,
                            "priority": 0...255|absent, "next": object|absent (as SEND_MESSAGE)} */
    RESULT_IGNORE = 3,  /* null, or {"state": text, "meta": any}: the state it is left in */
    RESULT_REJECT = 4,  /* {"reason": text, "requeue": bool} */
    RESULT_REPLACE = 5, /* the signature that gives this task's result; null: the task has published what does */
};

/* Syslog-like, but few. */
enum runner_level { LEVEL_DEBUG = 0, LEVEL_INFO = 1, LEVEL_WARNING = 2, LEVEL_ERROR = 3 };

struct frame_header {
    uint32_t length; /* bytes after this header */
    uint16_t type;   /* enum runner_frame */
    uint16_t code;
    uint64_t sequence; /* the task's; unique in one host process, grows, never 0 */
};

/* Payload of FRAME_TASK: this struct, then the texts in the order of their
 * lengths, without separators or terminators. */
struct task_request {
    uint32_t task;         /* index in the manifest */
    uint32_t flags;        /* enum task_request_flags */
    uint32_t retries;      /* attempts made before, as Celery counts */
    uint32_t starts;       /* starts including this one, >= 1 */
    double soft_limit_s;   /* 0: none */
    double hard_limit_s;   /* 0: none */
    double eta_unix_s;     /* 0: none */
    int32_t max_retries;   /* -1: unlimited */
    uint32_t id_length;
    uint32_t root_id_length;   /* 0: none */
    uint32_t parent_id_length; /* 0: none */
    uint32_t group_id_length;  /* 0: none */
    uint32_t queue_length;
    uint32_t headers_length; /* JSON object: every header of the message */
    uint32_t properties_length; /* JSON object: every property of the message */
    uint32_t body_length;    /* JSON: [args, kwargs, embed] */
    uint32_t most_resident_kib; /* a child that has had more resident exits after this task; 0: no matter */
    uint32_t traceparent_length; /* 0: none */
    uint32_t tracestate_length;  /* 0: none */
};
enum task_request_flags { TASK_REDELIVERED = 1, TASK_LAST_IN_CHILD = 2 /* exit 0 after the result */ };

/* First bytes of a FRAME_RESULT's payload. */
struct result_usage {
    uint64_t wall_us;
    uint64_t user_us, system_us; /* of this task alone */
    uint64_t max_rss_kib;        /* of the child so far */
    uint32_t flags;              /* enum result_flags */
    uint32_t reserved;
};
/* The task left child processes behind, or too much memory; the child exits and its tree is swept. */
enum result_flags { RESULT_CHILD_EXITS = 1 };

/* ---- crash page: one per lane, written by the child, read after its death; but for `claims`, by which host and
 * child agree while it lives ---- */

enum crash_state { CRASH_IDLE = 0, CRASH_RUNNING = 1, CRASH_FILLED = 2 };

struct crash_page {
    volatile uint32_t state;     /* enum crash_state */
    volatile uint32_t frame_count;
    volatile uint64_t sequence;  /* of the task that runs, or ran last */
    volatile int32_t signal;     /* valid when CRASH_FILLED */
    volatile int32_t code;       /* si_code */
    volatile uint64_t address;   /* si_addr */
    volatile uint64_t ip;
    volatile uint64_t frames[RUNNER_MAX_FRAMES];
    struct lane_claims claims;
};

#ifndef __cplusplus
_Static_assert(sizeof(struct control_record) == 64, "control_record layout");
_Static_assert(sizeof(struct frame_header) == 16, "frame_header layout");
_Static_assert(sizeof(struct task_request) == 88, "task_request layout");
_Static_assert(sizeof(struct result_usage) == 40, "result_usage layout");
_Static_assert(sizeof(struct crash_page) <= RUNNER_CRASH_TEXT_AT, "crash_page ends before the text");
#endif
#endif
