/*
 * Loaded into a process with LD_PRELOAD. Makes writes and syncs of files fail or wait according to a file of rules, and
 * keeps a copy of each file as of its last sync. Only files below $FAULTS_SCOPE are affected.
 *
 * $FAULTS_RULES: a file of lines `write|sync PATTERN error NAME [AFTER]` or `write|sync PATTERN stall`. PATTERN is a
 * shell pattern for the whole path. AFTER: this many calls of each process succeed first. A stalled call waits until no
 * rule stalls it. The file is replaced (by rename) and read again when it changes.
 *
 * $FAULTS_SYNCED: a directory that gets a copy of each synced file, named by its path with `%` for each `/`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { MAX_RULES = 16, MAX_FIELD = 1024 };

struct rule {
  char operation[8], pattern[MAX_FIELD], action[8], error[16];
  long after;
};

static struct rule rules[MAX_RULES];
static int rule_count;
static ino_t rules_inode;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void read_rules(void) {
  const char *file = getenv("FAULTS_RULES");
  struct stat facts;
  if (!file || stat(file, &facts) != 0 || facts.st_ino == rules_inode) return;
  FILE *stream = fopen(file, "re");
  if (!stream) return;
  rules_inode = facts.st_ino;
  rule_count = 0;
  char line[2 * MAX_FIELD];
  while (rule_count < MAX_RULES && fgets(line, sizeof line, stream)) {
    struct rule *rule = &rules[rule_count];
    memset(rule, 0, sizeof *rule);
    int fields = sscanf(line, "%7s %1023s %7s %15s %ld", rule->operation, rule->pattern, rule->action, rule->error, &rule->after);
    if (fields >= 3) rule_count++;
  }
  fclose(stream);
}

/* The path of an open file below the scope; 0 for any other file. */
static int path_of(int fd, char path[PATH_MAX]) {
  const char *scope = getenv("FAULTS_SCOPE");
  if (!scope) return 0;
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  size_t scope_length = strlen(scope);
  return strncmp(path, scope, scope_length) == 0 && path[scope_length] == '/';
}

static int error_named(const char *name) {
  if (strcmp(name, "ENOSPC") == 0) return ENOSPC;
  return EIO;
}

/* Returns the error to fail with, or 0 to continue. Waits while a rule stalls the call. */
static int fault_for(const char *operation, const char *path) {
  for (;;) {
    int error = 0, stalled = 0;
    pthread_mutex_lock(&lock);
    read_rules();
    for (int i = 0; i < rule_count && !error; i++) {
      struct rule *rule = &rules[i];
      if (strcmp(rule->operation, operation) != 0 || fnmatch(rule->pattern, path, 0) != 0) continue;
      if (strcmp(rule->action, "stall") == 0) stalled = 1;
      else if (rule->after > 0) rule->after--;
      else error = error_named(rule->error);
    }
    pthread_mutex_unlock(&lock);
    if (error || !stalled) return error;
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
  }
}

static int fails(const char *operation, int fd) {
  int before = errno;
  char path[PATH_MAX];
  int error = path_of(fd, path) ? fault_for(operation, path) : 0;
  errno = error ? error : before;
  return error != 0;
}

#define INTERPOSED(type, name, parameters, ...) \
  type name parameters { return fails("write", fd) ? -1 : REAL(name)(__VA_ARGS__); }

INTERPOSED(ssize_t, write, (int fd, const void *bytes, size_t count), fd, bytes, count)
INTERPOSED(ssize_t, pwrite, (int fd, const void *bytes, size_t count, off_t offset), fd, bytes, count, offset)
INTERPOSED(ssize_t, pwrite64, (int fd, const void *bytes, size_t count, off64_t offset), fd, bytes, count, offset)
INTERPOSED(ssize_t, writev, (int fd, const struct iovec *parts, int count), fd, parts, count)
INTERPOSED(ssize_t, pwritev, (int fd, const struct iovec *parts, int count, off_t offset), fd, parts, count, offset)
INTERPOSED(ssize_t, pwritev64, (int fd, const struct iovec *parts, int count, off64_t offset), fd, parts, count, offset)

/* The path that keeps the synced content of `path`; 0 when nothing is kept. */
static int kept_path(const char *path, char kept[PATH_MAX]) {
  const char *directory = getenv("FAULTS_SYNCED");
  if (!directory) return 0;
  int start = snprintf(kept, PATH_MAX, "%s/", directory);
  if (start + strlen(path) >= PATH_MAX) return 0;
  for (int i = 0; path[i]; i++, kept[start + i] = 0) kept[start + i] = path[i] == '/' ? '%' : path[i];
  return 1;
}

/* Copies the content at the begin of the sync: bytes written during the sync may be lost. */
static int copy_to(const char *path, const char *draft) {
  int from = open(path, O_RDONLY | O_CLOEXEC), to = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  char buffer[65536];
  ssize_t count = from < 0 || to < 0 ? -1 : 0;
  while (count >= 0 && (count = read(from, buffer, sizeof buffer)) > 0)
    if (REAL(write)(to, buffer, count) != count) count = -1;
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  return count == 0;
}

static int sync_file(int fd, int (*real)(int)) {
  int before = errno;
  char path[PATH_MAX], kept[PATH_MAX], draft[PATH_MAX + 64];
  struct stat facts;
  if (!path_of(fd, path)) return real(fd);
  int error = fault_for("sync", path);
  if (error) {
    errno = error;
    return -1;
  }
  int keeps = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) && kept_path(path, kept);
  if (keeps) {
    snprintf(draft, sizeof draft, "%s/draft.%d.%lx", getenv("FAULTS_SYNCED"), getpid(), (unsigned long)pthread_self());
    keeps = copy_to(path, draft);
  }
  errno = before;
  int result = real(fd);
  before = errno;
  if (keeps) {
    if (result == 0) REAL(rename)(draft, kept);
    else unlink(draft);
  }
  errno = before;
  return result;
}

int fsync(int fd) { return sync_file(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_file(fd, REAL(fdatasync)); }

/* Renames a file, and its kept content with it. */
int rename(const char *from, const char *to) {
  int result = REAL(rename)(from, to), before = errno;
  char kept_from[PATH_MAX], kept_to[PATH_MAX];
  if (result == 0 && kept_path(from, kept_from) && kept_path(to, kept_to)) REAL(rename)(kept_from, kept_to);
  errno = before;
  return result;
}
