// example - tasks to start from. `taskhost dev` builds and serves them; taskhost.hpp in the SDK says what else there is.
#include <map>
#include <sstream>
#include <string>
#include <taskhost.hpp>

static int64_t add(int64_t x, int64_t y) { return x + y; }
TASK_FUNCTION(add, "x", "y");
TASK_OPTIONS(add, .name = "tasks.add", .doc = "The sum of two whole numbers.");

// An exception becomes the task's failure, with its type and message.
static std::map<std::string, int64_t> words(taskhost::Task &task, const std::string &text, int64_t least) {
    if (least < 1) throw std::invalid_argument("least must be positive");
    std::map<std::string, int64_t> found;
    std::istringstream input(text);
    for (std::string word; input >> word;) {
        task.check_stop();
        found[word]++;
    }
    for (auto at = found.begin(); at != found.end();) at = at->second < least ? found.erase(at) : std::next(at);
    task.progress(1, 1);
    return found;
}
TASK_FUNCTION(words, "text", {"least", 1});
TASK_OPTIONS(words, .name = "tasks.words", .soft_limit = 5, .hard_limit = 10, .doc = "How often each word occurs.");

TASKHOST_BUNDLE("example", "0.1.0");
