/* Which call to the operating system is the last that a process makes?
 *
 * Loaded by LD_PRELOAD. Counts the calls that change or sync files of the ledger and kills the process, as kill -9 does, at the
 * n-th: before it, or (torn) after half of what it would have written. Or lets the n-th call fail, once: a full disk when it
 * writes, a broken one when it syncs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long last = -1, calls = 0;
static enum { WHOLE, TORN, FAILS } how = WHOLE;

void die_at_call(long n, int in_which_way) { last = n; how = in_which_way; calls = 0; }
long calls_made(void) { return calls; }

static int ours(int file) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, "ledger.db") != NULL;
}

static int due(int file) { return last >= 0 && ours(file) && ++calls == last; }

static int die(int error) {
    if (how == FAILS) { errno = error; return -1; }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *bytes, size_t size) {
    REAL(write);
    if (due(file)) { if (how == TORN) real(file, bytes, size / 2); return die(ENOSPC); }
    return real(file, bytes, size);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t at) {
    REAL(pwrite);
    if (due(file)) { if (how == TORN) real(file, bytes, size / 2, at); return die(ENOSPC); }
    return real(file, bytes, size, at);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off64_t at) {
    REAL(pwrite64);
    if (due(file)) { if (how == TORN) real(file, bytes, size / 2, at); return die(ENOSPC); }
    return real(file, bytes, size, at);
}

int ftruncate(int file, off_t size) { REAL(ftruncate); if (due(file)) return die(ENOSPC); return real(file, size); }
int ftruncate64(int file, off64_t size) { REAL(ftruncate64); if (due(file)) return die(ENOSPC); return real(file, size); }
int fsync(int file) { REAL(fsync); if (due(file)) return die(EIO); return real(file); }
int fdatasync(int file) { REAL(fdatasync); if (due(file)) return die(EIO); return real(file); }

int unlink(const char *path) {
    REAL(unlink);
    if (last >= 0 && strstr(path, "ledger.db") && ++calls == last) return die(EIO);
    return real(path);
}
