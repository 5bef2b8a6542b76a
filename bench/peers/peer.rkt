#lang racket/base
;; The peers in Racket, whose threads are its own: prints lines "name median p99", in nanoseconds.
;;
;;   racket peer.rkt [NAME...]
;;
;; A break is no exception of the sender's choice, and a second one is the same as the first. The
;; sender gives way when it waits for the target to have noticed.
(require racket/tcp)

(define (now) (* 1e6 (current-inexact-monotonic-milliseconds)))

(define (tell name times)
  (define sorted (list->vector (sort times <)))
  (define (at part)
    (vector-ref sorted (inexact->exact (floor (* part (sub1 (vector-length sorted)))))))
  (printf "~a ~a ~a\n" name (at 1/2) (at 99/100))
  (flush-output))

;; Of 30 times, each of so many calls.
(define (each-call name calls what)
  (tell name
        (for/list ([_ 30])
          (define start (now))
          (for ([_ (in-range calls)]) (what))
          (/ (- (now) start) calls))))

;; `work` goes on until it is interrupted.
(define (caught name count work)
  (define at #f)
  (define noticed (make-semaphore 0))
  (define target
    (parameterize-break #f
      (thread (lambda ()
                (for ([_ count])
                  (with-handlers ([exn:break? (lambda (_) (set! at (now)))])
                    (parameterize-break #t (work)))
                  (semaphore-post noticed))))))
  (define both
    (for/list ([_ count])
      (sleep 0.0005)
      (define before (now))
      (break-thread target)
      (define sent (now))
      (semaphore-wait noticed)
      (cons (- at before) (- sent before))))
  (thread-wait target)
  (tell (format "caught_~a" name) (map car both))
  (tell (format "send_~a" name) (map cdr both)))

(define (caught-read)
  (define listener (tcp-listen 0 1 #t "127.0.0.1"))
  (define-values (_here port _there _other) (tcp-addresses listener #t))
  (define-values (in _out) (tcp-connect "127.0.0.1" port))
  (caught "read" 200 (lambda () (read-byte in))))

(define never (make-semaphore 0))

(define all
  (list (cons "mask" (lambda () (each-call "mask" 20000 (lambda () (parameterize-break #f (void))))))
        (cons "caught_running" (lambda () (caught "running" 100 (lambda () (let loop () (loop))))))
        (cons "caught_read" caught-read)
        (cons "caught_condition"
              (lambda () (caught "condition" 200 (lambda () (semaphore-wait never)))))
        (cons "caught_sleep" (lambda () (caught "sleep" 200 (lambda () (sleep 1000)))))
        (cons "thread" (lambda () (each-call "thread" 1000 (lambda () (thread-wait (thread void))))))))

(module+ main
  (define wanted (vector->list (current-command-line-arguments)))
  (for ([one all])
    (when (or (null? wanted) (member (car one) wanted)) ((cdr one)))))
