;;; lsp-mode.el --- llm-lsp in lsp-mode -*- lexical-binding: t -*-

;; lsp-mode 10 and later has ghost text of its own, and takes llm-lsp beside the language's server.
;; In init.el:

(with-eval-after-load 'lsp-mode
  (lsp-register-client
   (make-lsp-client :new-connection (lsp-stdio-connection '("llm-lsp" "server"))
                    :activation-fn (lambda (&rest _) t)
                    :add-on? t
                    :server-id 'llm-lsp))
  ;; What stands here wins over config.toml; every key: docs/settings.md.
  ;; (lsp-register-custom-settings '(("llm-lsp.completion.menu_timeout_ms" 300)))
  (add-hook 'lsp-mode-hook #'lsp-inline-completion-mode))

;; Seconds without a key; llm-lsp waits by itself, as long as it must.
(setq lsp-inline-completion-idle-delay 0.05)
