;;; eglot.el --- llm-lsp in eglot's completion menu -*- lexical-binding: t -*-

;; For init.el.  eglot runs one server in a buffer, so llm-lsp replaces the language's own server there, and shows
;; items in the completion menu, no ghost text.  To use both servers, use llm-lsp.el instead.
;; Change the modes below to those that you want it for.

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '((text-mode markdown-mode) . ("llm-lsp" "server")))
  ;; eglot can insert several lines but does not announce it: without this, items have one line only.
  (cl-defmethod eglot-client-capabilities :around (_server)
    (let* ((all (cl-call-next-method))
           (completion (plist-get (plist-get all :textDocument) :completion)))
      (plist-put (plist-get completion :completionItem) :insertTextModeSupport '(:valueSet [1]))
      all)))

;; Settings here override config.toml; every key: docs/settings.md.
;; (setq-default eglot-workspace-configuration '(:llm-lsp (:completion (:menu_timeout_ms 300))))
