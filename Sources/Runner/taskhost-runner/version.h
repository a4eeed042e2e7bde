/* version - the runner's, which is the host's: they are built together. */
#ifndef RUNNER_VERSION_H
#define RUNNER_VERSION_H
#define RUNNER_VERSION "0.1.0"
#endif
