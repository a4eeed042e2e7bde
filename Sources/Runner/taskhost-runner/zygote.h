/* zygote - loads one bundle, forks children from its image, reaps and kills them. */
#ifndef RUNNER_ZYGOTE_H
#define RUNNER_ZYGOTE_H

/* The exit status: 0 retired or the host is gone, 2 the bundle was refused, 71 the system lacks something. */
int zygote_main(const char *path, const char *shown_path);
#endif
