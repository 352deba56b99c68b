/* A library with the right name and none of the functions. */
int adjrt_bare(void);
int adjrt_bare(void) { return 0; }
