/* Part of the agent only where it is built with the sanitizers: it comes before their library, and
 * what the game leaves allocated is not our business. */
const char *__asan_default_options(void);

__attribute__((visibility("default"), no_sanitize("address"), no_sanitize("undefined")))
const char *__asan_default_options(void)
{
    return "verify_asan_link_order=0:detect_leaks=0";
}
