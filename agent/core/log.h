/* One line per event, to the file that Python named. Allocates nothing, never prints. */
#ifndef NG_LOG_H
#define NG_LOG_H

void log_open(const char *path);
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
