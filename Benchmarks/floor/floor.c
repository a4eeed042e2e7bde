/* floor pool|zygote URL QUEUE TALLY CHILDREN IN_FLIGHT [REDIS_HOST:PORT] - works until SIGTERM. See floor.h. */
#include "floor.h"

#include <stdlib.h>
#include <string.h>

int main(int count, char **words) {
    if (count != 7 && count != 8)
        give_up("usage: floor pool|zygote URL QUEUE TALLY CHILDREN IN_FLIGHT [REDIS_HOST:PORT]");
    floor_settings settings = {.url = words[2], .queue = words[3], .tally = words[4], .children = atoi(words[5]),
                               .in_flight = atoi(words[6]), .redis = count == 8 ? words[7] : NULL};
    if (settings.children < 1 || settings.in_flight < 1) give_up("CHILDREN and IN_FLIGHT are at least 1");
    if (strcmp(words[1], "pool") == 0)
        run_pool(&settings);
    else if (strcmp(words[1], "zygote") == 0)
        run_zygote(&settings);
    else
        give_up("pool or zygote, not %s", words[1]);
    taking_close();
    return 0;
}
