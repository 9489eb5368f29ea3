/* Memory in pools, counted for each checkpoint. A checker sees the pools; what is lost within them only the runtime knows. */
void *pool_take(const char *checkpoint, unsigned size);
void pool_give(const char *checkpoint, void *block, unsigned size);

/* Says at the end what was taken and not given back. */
void pool_report(void);
