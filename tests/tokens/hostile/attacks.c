/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a hostile module would do to tokend, to the other hosts and to the system. An attack that
 * works does no harm. */
#include "attacks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <mqueue.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A test system has process numbers of its own, and few. */
#define PROCESS_MAX 65536
#define KLOG_READ_ALL 3

static const char *
outcome (long result)
{
  return result >= 0 ? NULL : strerrorname_np (errno);
}

static const char *
open_and_close (const char *path, int flags)
{
  int fd = open (path, flags | O_CLOEXEC, 0600);
  const char *failure = outcome (fd);

  if (fd >= 0)
    close (fd);
  return failure;
}

/* A file that was not there before is not there afterwards. */
static const char *
create (const char *path)
{
  const char *failure = open_and_close (path, O_WRONLY | O_CREAT | O_EXCL);

  if (failure == NULL)
    unlink (path);
  return failure;
}

static const char *
list (const char *path)
{
  DIR *folder = opendir (path);

  if (folder == NULL)
    return outcome (-1);
  closedir (folder);
  return NULL;
}

static const char *
connect_to (const char *path, int type)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket (AF_UNIX, type | SOCK_CLOEXEC, 0);
  const char *failure = outcome (fd);

  if (fd < 0)
    return failure;
  strncpy (address.sun_path, path, sizeof address.sun_path - 1);
  failure = outcome (connect (fd, (struct sockaddr *) &address, sizeof address));
  close (fd);
  return failure;
}

/* Processes: tokend's, which is another user's, and other hosts', which are the same user's. */

/* Signal 0 meets the kernel's checks and does nothing. */
static const char *
send_signal (pid_t process)
{
  return outcome (kill (process, 0));
}

static const char *
trace (pid_t process)
{
  const char *failure = outcome (ptrace (PTRACE_SEIZE, process, NULL, NULL));

  if (failure == NULL)
    ptrace (PTRACE_DETACH, process, NULL, NULL);
  return failure;
}

static const char *
read_memory (pid_t process)
{
  char byte;
  struct iovec here = { &byte, 1 };
  /* Where it is does not matter: the kernel first asks whether the process may be looked at, and
   * then finds nothing there. */
  struct iovec there = { NULL, 1 };
  const char *failure = outcome (process_vm_readv (process, &here, 1, &there, 1, 0));

  return failure != NULL && strcmp (failure, "EFAULT") == 0 ? NULL : failure;
}

static const char *
open_in_proc (pid_t process, const char *file)
{
  char path[PATH_MAX];

  snprintf (path, sizeof path, "/proc/%d/%s", (int) process, file);
  return open_and_close (path, O_RDONLY);
}

static const char *
list_descriptors (pid_t process)
{
  return open_in_proc (process, "fd");
}

static const char *
open_status (pid_t process)
{
  return open_in_proc (process, "status");
}

static const char *
open_environment (pid_t process)
{
  return open_in_proc (process, "environ");
}

static const char *
open_memory (pid_t process)
{
  return open_in_proc (process, "mem");
}

/* Tries it on each process that this user may signal, which are hosts: nothing else is theirs.
 * Threads have numbers too, but are no process. */
static const char *
on_hosts (HostileAttack attack)
{
  const char *failure = strerrorname_np (ESRCH);

  for (pid_t process = 2; process < PROCESS_MAX && failure != NULL; process++)
    if (process != getpid () && syscall (SYS_tgkill, process, process, 0) == 0)
      failure = attack (process);
  return failure;
}

static const char *
trace_hosts (pid_t service)
{
  return on_hosts (trace);
}

static const char *
read_hosts_memory (pid_t service)
{
  return on_hosts (read_memory);
}

static const char *
open_hosts_memory (pid_t service)
{
  return on_hosts (open_memory);
}

static const char *
list_hosts_descriptors (pid_t service)
{
  return on_hosts (list_descriptors);
}

/* In a child of this process */
static void
become_host (void)
{
  char *const arguments[] = { "tokend-module", "--watch", NULL };

  execv ("/proc/self/exe", arguments);
  _exit (127);
}

/* Of a host that has just been started, before it can have done anything for itself. The memory
 * that was opened then would stay open. */
static const char *
open_new_hosts_memory (pid_t service)
{
  const char *failure;
  int ends[2];
  pid_t host;

  if (pipe2 (ends, O_CLOEXEC) != 0)
    return outcome (-1);
  host = fork ();
  if (host == 0)
    become_host ();

  close (ends[1]);
  /* The pipe ends when the child has become a host. */
  while (read (ends[0], (char[1]){ 0 }, 1) < 0 && errno == EINTR)
    ;
  failure = host > 0 ? open_memory (host) : outcome (-1);
  close (ends[0]);
  if (host > 0) {
    kill (host, SIGKILL);
    waitpid (host, NULL, 0);
  }
  return failure;
}

/* tokend's files and sockets */

static const char *
list_ledger (pid_t service)
{
  return list ("/var/lib/tokend");
}

static const char *
write_ledger (pid_t service)
{
  return create ("/var/lib/tokend/hostile");
}

static const char *
list_locks (pid_t service)
{
  return list ("/run/tokend/locks");
}

static const char *
write_locks (pid_t service)
{
  return create ("/run/tokend/locks/hostile");
}

static const char *
write_run_folder (pid_t service)
{
  return create ("/run/tokend/hostile");
}

static const char *
connect_to_operate_socket (pid_t service)
{
  return connect_to ("/run/tokend/operate.sock", SOCK_STREAM);
}

static const char *
connect_to_watch_socket (pid_t service)
{
  return connect_to ("/run/tokend/watch.sock", SOCK_STREAM);
}

/* The system */

static const char *
become_root (pid_t service)
{
  return outcome (syscall (SYS_setuid, 0));
}

static const char *
make_namespace (pid_t service)
{
  return outcome (unshare (CLONE_NEWUSER));
}

static const char *
mount_something (pid_t service)
{
  return outcome (mount ("tmpfs", "/var/tmp", "tmpfs", 0, NULL));
}

static const char *
open_network (pid_t service)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const char *failure = outcome (fd);

  if (fd >= 0)
    close (fd);
  return failure;
}

static const char *
read_homes (pid_t service)
{
  return list ("/home");
}

static const char *
write_system (pid_t service)
{
  return create ("/etc/hostile");
}

/* Another user who ran it would be tokend-module. */
static const char *
make_setuid_program (pid_t service)
{
  char path[] = "/var/tmp/hostile-program-XXXXXX";
  int fd = mkostemp (path, O_CLOEXEC);
  const char *failure = outcome (fd);

  if (fd < 0)
    return failure;
  failure = outcome (fchmod (fd, S_ISUID | S_IRUSR | S_IXUSR | S_IXOTH));
  close (fd);
  unlink (path);
  return failure;
}

static const char *
write_journal (pid_t service)
{
  return connect_to ("/run/systemd/journal/socket", SOCK_DGRAM);
}

static const char *
write_syslog (pid_t service)
{
  return connect_to ("/dev/log", SOCK_DGRAM);
}

static const char *
read_kernel_log (pid_t service)
{
  char line[256];

  return outcome (klogctl (KLOG_READ_ALL, line, sizeof line));
}

static const char *
allow_core_files (pid_t service)
{
  const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

  return outcome (setrlimit (RLIMIT_CORE, &unlimited));
}

static const char *
change_personality (pid_t service)
{
  return outcome (personality (ADDR_NO_RANDOMIZE));
}

/* Keys and queues are their users', in whichever process. */
static const char *
keep_key (pid_t service)
{
  return outcome (syscall (SYS_add_key, "user", "hostile", "", 1, KEY_SPEC_USER_KEYRING));
}

static const char *
open_message_queue (pid_t service)
{
  mqd_t queue = mq_open ("/hostile", O_RDWR | O_CREAT | O_CLOEXEC, 0600, NULL);
  const char *failure = outcome (queue);

  if (failure == NULL) {
    mq_close (queue);
    mq_unlink ("/hostile");
  }
  return failure;
}

static const char *
take_real_time (pid_t service)
{
  const struct sched_param priority = { .sched_priority = 1 };

  return outcome (sched_setscheduler (0, SCHED_FIFO, &priority));
}

const HostileNamedAttack hostile_attacks[] = {
  { "signal-service", send_signal },
  { "trace-service", trace },
  { "read-service-memory", read_memory },
  { "open-service-memory", open_memory },
  { "open-service-environment", open_environment },
  { "open-service-status", open_status },
  { "list-service-descriptors", list_descriptors },
  { "trace-hosts", trace_hosts },
  { "read-hosts-memory", read_hosts_memory },
  { "open-hosts-memory", open_hosts_memory },
  { "list-hosts-descriptors", list_hosts_descriptors },
  { "open-new-hosts-memory", open_new_hosts_memory },
  { "list-ledger", list_ledger },
  { "write-ledger", write_ledger },
  { "list-locks", list_locks },
  { "write-locks", write_locks },
  { "write-run-folder", write_run_folder },
  { "connect-to-operate-socket", connect_to_operate_socket },
  { "connect-to-watch-socket", connect_to_watch_socket },
  { "own-service-name", hostile_own_service_name },
  { "own-other-name", hostile_own_other_name },
  { "read-modules", hostile_read_modules },
  { "stop-service", hostile_stop_service },
  { "become-root", become_root },
  { "make-namespace", make_namespace },
  { "mount", mount_something },
  { "open-network", open_network },
  { "read-homes", read_homes },
  { "write-system", write_system },
  { "make-setuid-program", make_setuid_program },
  { "write-journal", write_journal },
  { "write-syslog", write_syslog },
  { "read-kernel-log", read_kernel_log },
  { "allow-core-files", allow_core_files },
  { "change-personality", change_personality },
  { "take-real-time", take_real_time },
  { "keep-key", keep_key },
  { "open-message-queue", open_message_queue },
  { NULL, NULL },
};
