/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What GLib does between threads, told to ThreadSanitizer, which cannot see into a library that is
 * not built with it. Part of every program of that build, by the linker's --wrap: where ours hands
 * something to another thread by way of GLib, or gets it, that is said. What ours shares in any
 * other way is a race.
 */
#include <gio/gio.h>

/* What is not built with ThreadSanitizer, a simulated token, has these only where its program has.
 */
extern void __tsan_acquire (void *address) __attribute__ ((weak));
extern void __tsan_release (void *address) __attribute__ ((weak));

static void
acquire (void *address)
{
  if (__tsan_acquire != NULL)
    __tsan_acquire (address);
}

static void
release (void *address)
{
  if (__tsan_release != NULL)
    __tsan_release (address);
}

/* GTask: what is done before it returns is seen by its callback; what is done before it runs, by
 * its thread. */

#define CALLBACK "tsan-callback"
#define FUNC "tsan-func"

GTask *__real_g_task_new (gpointer source, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer data);
GTask *__wrap_g_task_new (gpointer source, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer data);
void __real_g_task_return_boolean (GTask *task, gboolean result);
void __wrap_g_task_return_boolean (GTask *task, gboolean result);
void __real_g_task_return_error (GTask *task, GError *error);
void __wrap_g_task_return_error (GTask *task, GError *error);
void __real_g_task_return_pointer (GTask *task, gpointer result, GDestroyNotify free);
void __wrap_g_task_return_pointer (GTask *task, gpointer result, GDestroyNotify free);
void __real_g_task_run_in_thread (GTask *task, GTaskThreadFunc func);
void __wrap_g_task_run_in_thread (GTask *task, GTaskThreadFunc func);

static void
call_back (GObject *source, GAsyncResult *result, gpointer data)
{
  GAsyncReadyCallback callback;

  acquire (result);
  callback = g_object_get_data (G_OBJECT (result), CALLBACK);
  callback (source, result, data);
}

GTask *
__wrap_g_task_new (gpointer source, GCancellable *cancellable, GAsyncReadyCallback callback,
                   gpointer data)
{
  GTask *task = __real_g_task_new (source, cancellable, callback != NULL ? call_back : NULL, data);

  g_object_set_data (G_OBJECT (task), CALLBACK, callback);
  return task;
}

void
__wrap_g_task_return_boolean (GTask *task, gboolean result)
{
  release (task);
  __real_g_task_return_boolean (task, result);
}

void
__wrap_g_task_return_error (GTask *task, GError *error)
{
  release (task);
  __real_g_task_return_error (task, error);
}

void
__wrap_g_task_return_pointer (GTask *task, gpointer result, GDestroyNotify free)
{
  release (task);
  __real_g_task_return_pointer (task, result, free);
}

static void
run_task (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  GTaskThreadFunc func;

  acquire (task);
  func = g_object_get_data (G_OBJECT (task), FUNC);
  func (task, source, data, cancellable);
}

void
__wrap_g_task_run_in_thread (GTask *task, GTaskThreadFunc func)
{
  g_object_set_data (G_OBJECT (task), FUNC, func);
  release (task);
  __real_g_task_run_in_thread (task, run_task);
}

/* GThreadPool: what is done before something is pushed is seen by the thread that gets it. */

typedef struct {
  GFunc func;
  gpointer data;
} Pool;

GThreadPool *__real_g_thread_pool_new (GFunc func, gpointer data, int n, gboolean exclusive,
                                       GError **error);
GThreadPool *__wrap_g_thread_pool_new (GFunc func, gpointer data, int n, gboolean exclusive,
                                       GError **error);
gboolean __real_g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error);
gboolean __wrap_g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error);

static void
run_in_pool (gpointer item, gpointer data)
{
  const Pool *pool = data;

  acquire (item);
  pool->func (item, pool->data);
}

GThreadPool *
__wrap_g_thread_pool_new (GFunc func, gpointer data, int n, gboolean exclusive, GError **error)
{
  Pool *pool = g_new (Pool, 1); /* lives as long as the process */

  *pool = (Pool){ func, data };
  return __real_g_thread_pool_new (run_in_pool, pool, n, exclusive, error);
}

gboolean
__wrap_g_thread_pool_push (GThreadPool *pool, gpointer item, GError **error)
{
  release (item);
  return __real_g_thread_pool_push (pool, item, error);
}

/* GAsyncQueue: likewise. */

void __real_g_async_queue_push (GAsyncQueue *queue, gpointer item);
void __wrap_g_async_queue_push (GAsyncQueue *queue, gpointer item);
gpointer __real_g_async_queue_pop (GAsyncQueue *queue);
gpointer __wrap_g_async_queue_pop (GAsyncQueue *queue);

void
__wrap_g_async_queue_push (GAsyncQueue *queue, gpointer item)
{
  release (item);
  __real_g_async_queue_push (queue, item);
}

gpointer
__wrap_g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer item = __real_g_async_queue_pop (queue);

  acquire (item);
  return item;
}

/* GObject: what is done before a reference is given up is seen by who gives up the last one. A task
 * gives up its source's, which may be the last one, and GLib's to give up, long after the wrapper
 * below: then it is the end of the source's pool that tells, of all that was given up before. */

static int given_up;

void __real_g_object_unref (gpointer object);
void __wrap_g_object_unref (gpointer object);
void __real_g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait);
void __wrap_g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait);

void
__wrap_g_object_unref (gpointer object)
{
  gpointer source = G_IS_TASK (object) ? g_task_get_source_object (object) : NULL;

  release (object);
  acquire (object);
  if (source != NULL) {
    release (source);
    acquire (source);
  }
  release (&given_up);
  __real_g_object_unref (object);
}

void
__wrap_g_thread_pool_free (GThreadPool *pool, gboolean immediate, gboolean wait)
{
  acquire (&given_up);
  __real_g_thread_pool_free (pool, immediate, wait);
}

/* GMutex: what is done by who holds the lock is seen by who takes it after that. */

void __real_g_mutex_lock (GMutex *mutex);
void __wrap_g_mutex_lock (GMutex *mutex);
void __real_g_mutex_unlock (GMutex *mutex);
void __wrap_g_mutex_unlock (GMutex *mutex);

void
__wrap_g_mutex_lock (GMutex *mutex)
{
  __real_g_mutex_lock (mutex);
  acquire (mutex);
}

void
__wrap_g_mutex_unlock (GMutex *mutex)
{
  release (mutex);
  __real_g_mutex_unlock (mutex);
}
