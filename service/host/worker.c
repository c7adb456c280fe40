/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "worker.h"

struct _TokendWorker {
  GAsyncQueue *jobs;
};

typedef struct {
  GTask *task;
  GTaskThreadFunc func;
} Job;

static gpointer
run_jobs (gpointer data)
{
  GAsyncQueue *jobs = data;

  for (;;) {
    Job *job = g_async_queue_pop (jobs);

    job->func (job->task, g_task_get_source_object (job->task), g_task_get_task_data (job->task),
               g_task_get_cancellable (job->task));
    g_object_unref (job->task);
    g_free (job);
  }

  return NULL;
}

TokendWorker *
tokend_worker_new (void)
{
  TokendWorker *worker = g_new0 (TokendWorker, 1);

  worker->jobs = g_async_queue_new ();
  g_thread_unref (g_thread_new ("pkcs11", run_jobs, worker->jobs));
  return worker;
}

/**
 * tokend_worker_run:
 * @task: gets the result of @func; its callback runs in the thread that made it
 * @func: runs in the worker's thread, after everything given to the worker before
 *
 * Works as g_task_run_in_thread() does, but always in the same thread, which some modules need.
 */
void
tokend_worker_run (TokendWorker *worker, GTask *task, GTaskThreadFunc func)
{
  Job *job = g_new0 (Job, 1);

  job->task = g_object_ref (task);
  job->func = func;
  g_async_queue_push (worker->jobs, job);
}
