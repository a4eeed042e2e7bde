// Runs the tasks in this process, with a host that only remembers: `make test`.
#include "tasks.cpp"

#include <cassert>
#include <iostream>
#include <taskhost_testing.h>

int main() {
    assert(add(4, 6) == 10);

    task_test test;
    task_test_begin(&test);
    assert(task_test_run(&test, "tasks.words", "[\"to be or not to be\"]", "{\"least\": 2}"));
    assert(std::string(test.result) == R"({"be":2,"to":2})");

    task_test_begin(&test);
    task_test_run(&test, "tasks.words", "[\"be\", 0]", "{}");
    assert(test.ending == TASK_TEST_FAILED && std::string(test.type) == "ValueError");

    // Its soft limit has come, on a clock of the test's own.
    task_test_begin(&test);
    task_test_limits(&test, 5, 10);
    task_test_advance(&test, 6);
    task_test_run(&test, "tasks.words", "[\"be\"]", "{}");
    assert(std::string(test.type) == "SoftTimeLimitExceeded");

    task_test_end(&test);
    std::cout << "all tests passed\n";
}
