/*
 * taskhost_lists.h - parameter lists of TASK_DEF made into signature texts and C types, by the preprocessor alone.
 *
 * Part of taskhost_macros.h; not to be included by itself.
 */
#ifndef TASKHOST_LISTS_H
#define TASKHOST_LISTS_H

/* ---- signature texts and types out of parameter lists ---- */

#define TASKHOST_PASTE_(a, b) a##b
#define TASKHOST_PASTE(a, b) TASKHOST_PASTE_(a, b)
#define TASKHOST_COUNT_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, count, ...) count
/* 1 to 17 arguments: the result type and up to 16 parameters. */
#define TASKHOST_COUNT(...)                                                                                          \
    TASKHOST_COUNT_(__VA_ARGS__, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

#define TASKHOST_TEXT2(type, name) #name ":" TASKHOST_NAME_##type
/* A default may contain commas. */
#define TASKHOST_TEXT3(type, name, ...) #name ":" TASKHOST_NAME_##type "=" #__VA_ARGS__
#define TASKHOST_TEXT_PICK_(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, pick, ...) pick
#define TASKHOST_TEXT_PICK(...)                                                                                      \
    TASKHOST_TEXT_PICK_(__VA_ARGS__, TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT3,   \
                        TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT3,                \
                        TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT3, TASKHOST_TEXT2, TASKHOST_TEXT2)
#define TASKHOST_TEXT(...) TASKHOST_TEXT_PICK(__VA_ARGS__)(__VA_ARGS__)
#define TASKHOST_TYPE_(type, ...) taskhost_type_##type
#define TASKHOST_TYPE(...) TASKHOST_TYPE_(__VA_ARGS__, )

#define TASKHOST_TEXTS1(a) ""
#define TASKHOST_TEXTS2(r, a) TASKHOST_TEXT a
#define TASKHOST_TEXTS3(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS2(r, __VA_ARGS__)
#define TASKHOST_TEXTS4(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS3(r, __VA_ARGS__)
#define TASKHOST_TEXTS5(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS4(r, __VA_ARGS__)
#define TASKHOST_TEXTS6(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS5(r, __VA_ARGS__)
#define TASKHOST_TEXTS7(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS6(r, __VA_ARGS__)
#define TASKHOST_TEXTS8(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS7(r, __VA_ARGS__)
#define TASKHOST_TEXTS9(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS8(r, __VA_ARGS__)
#define TASKHOST_TEXTS10(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS9(r, __VA_ARGS__)
#define TASKHOST_TEXTS11(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS10(r, __VA_ARGS__)
#define TASKHOST_TEXTS12(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS11(r, __VA_ARGS__)
#define TASKHOST_TEXTS13(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS12(r, __VA_ARGS__)
#define TASKHOST_TEXTS14(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS13(r, __VA_ARGS__)
#define TASKHOST_TEXTS15(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS14(r, __VA_ARGS__)
#define TASKHOST_TEXTS16(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS15(r, __VA_ARGS__)
#define TASKHOST_TEXTS17(r, a, ...) TASKHOST_TEXT a "," TASKHOST_TEXTS16(r, __VA_ARGS__)
#define TASKHOST_TYPES1(r) void
#define TASKHOST_TYPES2(r, a) TASKHOST_TYPE a
#define TASKHOST_TYPES3(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES2(r, __VA_ARGS__)
#define TASKHOST_TYPES4(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES3(r, __VA_ARGS__)
#define TASKHOST_TYPES5(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES4(r, __VA_ARGS__)
#define TASKHOST_TYPES6(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES5(r, __VA_ARGS__)
#define TASKHOST_TYPES7(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES6(r, __VA_ARGS__)
#define TASKHOST_TYPES8(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES7(r, __VA_ARGS__)
#define TASKHOST_TYPES9(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES8(r, __VA_ARGS__)
#define TASKHOST_TYPES10(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES9(r, __VA_ARGS__)
#define TASKHOST_TYPES11(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES10(r, __VA_ARGS__)
#define TASKHOST_TYPES12(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES11(r, __VA_ARGS__)
#define TASKHOST_TYPES13(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES12(r, __VA_ARGS__)
#define TASKHOST_TYPES14(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES13(r, __VA_ARGS__)
#define TASKHOST_TYPES15(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES14(r, __VA_ARGS__)
#define TASKHOST_TYPES16(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES15(r, __VA_ARGS__)
#define TASKHOST_TYPES17(r, a, ...) TASKHOST_TYPE a, TASKHOST_TYPES16(r, __VA_ARGS__)
#define TASKHOST_CTX_TYPES1(r) task_context *
#define TASKHOST_CTX_TYPES2(...) task_context *, TASKHOST_TYPES2(__VA_ARGS__)
#define TASKHOST_CTX_TYPES3(...) task_context *, TASKHOST_TYPES3(__VA_ARGS__)
#define TASKHOST_CTX_TYPES4(...) task_context *, TASKHOST_TYPES4(__VA_ARGS__)
#define TASKHOST_CTX_TYPES5(...) task_context *, TASKHOST_TYPES5(__VA_ARGS__)
#define TASKHOST_CTX_TYPES6(...) task_context *, TASKHOST_TYPES6(__VA_ARGS__)
#define TASKHOST_CTX_TYPES7(...) task_context *, TASKHOST_TYPES7(__VA_ARGS__)
#define TASKHOST_CTX_TYPES8(...) task_context *, TASKHOST_TYPES8(__VA_ARGS__)
#define TASKHOST_CTX_TYPES9(...) task_context *, TASKHOST_TYPES9(__VA_ARGS__)
#define TASKHOST_CTX_TYPES10(...) task_context *, TASKHOST_TYPES10(__VA_ARGS__)
#define TASKHOST_CTX_TYPES11(...) task_context *, TASKHOST_TYPES11(__VA_ARGS__)
#define TASKHOST_CTX_TYPES12(...) task_context *, TASKHOST_TYPES12(__VA_ARGS__)
#define TASKHOST_CTX_TYPES13(...) task_context *, TASKHOST_TYPES13(__VA_ARGS__)
#define TASKHOST_CTX_TYPES14(...) task_context *, TASKHOST_TYPES14(__VA_ARGS__)
#define TASKHOST_CTX_TYPES15(...) task_context *, TASKHOST_TYPES15(__VA_ARGS__)
#define TASKHOST_CTX_TYPES16(...) task_context *, TASKHOST_TYPES16(__VA_ARGS__)
#define TASKHOST_CTX_TYPES17(...) task_context *, TASKHOST_TYPES17(__VA_ARGS__)
#define TASKHOST_RESULT_(r, ...) r
#define TASKHOST_RESULT(...) TASKHOST_RESULT_(__VA_ARGS__, )
#define TASKHOST_TYPE_OF(name) TASKHOST_PASTE(taskhost_type_, name)
#define TASKHOST_NAME_OF(name) TASKHOST_PASTE(TASKHOST_NAME_, name)
#define TASKHOST_TEXTS(...) TASKHOST_PASTE(TASKHOST_TEXTS, TASKHOST_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define TASKHOST_TYPES(...) TASKHOST_PASTE(TASKHOST_TYPES, TASKHOST_COUNT(__VA_ARGS__))(__VA_ARGS__)
#define TASKHOST_CTX_TYPES(...) TASKHOST_PASTE(TASKHOST_CTX_TYPES, TASKHOST_COUNT(__VA_ARGS__))(__VA_ARGS__)

#endif
