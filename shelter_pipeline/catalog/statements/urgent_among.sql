-- Which of these batches a person has asked for and no run has begun, so that their runs may go to the front of the queue.
SELECT key FROM batch WHERE key = ANY (:keys) AND urgent AND state = 'planned';
